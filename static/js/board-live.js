// <board-live>: what a colleague moves moves on this screen. A stream says which cards have changed; htmx fetches their
// tiles and <phase-board> lays them in place. While a card is in hand or something is on its way, changes wait.

const SILENCE = 45_000; // the server says something every 15 seconds: after this the line is dead
const OPENING = 10_000; // a stream that is held back by a proxy never opens
const PATIENCE = 250; // milliseconds until we look again whether the hand is free
const AGAIN = 5_000; // and until what could not be fetched is tried again
const ONE_BY_ONE = 30; // more changed cards than the server draws one by one
const TRIES = 8;

class BoardLive extends HTMLElement {
  connectedCallback() {
    this.since = this.dataset.since;
    this.cards = {}; // by number, what changed and is not drawn yet
    this.failures = 0;
    for (const name of ["visibilitychange", "adrift"]) document.addEventListener(name, this);
    for (const name of ["htmx:sendError", "htmx:timeout", "htmx:beforeOnLoad"]) this.addEventListener(name, this);
    document.body.addEventListener("htmx:beforeSwap", this);
    this.open();
  }

  disconnectedCallback() {
    for (const name of ["visibilitychange", "adrift"]) document.removeEventListener(name, this);
    document.body.removeEventListener("htmx:beforeSwap", this);
    clearTimeout(this.next);
    this.close();
  }

  handleEvent(event) {
    if (event.type === "visibilitychange") {
      // A hidden page needs no stream, and a browser opens only six connections to us; what it missed is told when it is seen again.
      if (document.hidden) return this.close();
      this.failures = 0;
      return this.open();
    }
    if (event.type === "htmx:beforeSwap") return this.arrived(event);
    if (event.type !== "adrift") return this.failed(event);
    this.redraws = true;
    this.soon(0);
  }

  // The stream -----------------------------------------------------------------------------------------

  open() {
    if (this.source || this.isOver || document.hidden || !this.isConnected) return;
    // Where streams do not get through, the same question is answered at once, and the browser asks again by itself.
    const way = this.failures < 3 ? this.dataset.stream : `${this.dataset.stream}once/`;
    this.source = new EventSource(`${way}?since=${this.since}`);
    this.source.addEventListener("message", (event) => this.heard(event));
    this.source.addEventListener("beat", (event) => this.alive(event));
    this.source.addEventListener("bye", () => this.leave());
    this.source.addEventListener("error", () => this.source?.readyState === EventSource.CLOSED && this.again());
    this.expect(OPENING);
  }

  close() {
    clearTimeout(this.line);
    this.source?.close();
    this.source = null;
  }

  again() {
    this.close();
    this.failures += 1;
    if (this.failures > TRIES) return;
    this.line = setTimeout(() => this.open(), 1000 * 2 ** this.failures * (0.5 + Math.random()));
  }

  leave() {
    this.isOver = true;
    this.close();
  }

  expect(within) {
    clearTimeout(this.line);
    this.line = setTimeout(() => this.again(), within);
  }

  alive(event) {
    if (event.lastEventId) this.since = event.lastEventId;
    if (!this.source.url.includes("/once/")) this.failures = 0;
    this.expect(SILENCE);
  }

  heard(event) {
    this.alive(event);
    const { cards, redraw, spread } = JSON.parse(event.data);
    this.redraws ||= redraw;
    for (const [number, card] of Object.entries(cards)) {
      const { by, did } = this.cards[number] ?? {};
      this.cards[number] = { mark: card.mark, by: { ...by, ...card.by }, did: { ...did, ...card.did } };
    }
    this.soon(Math.random() * spread);
  }

  // What it says ---------------------------------------------------------------------------------------

  soon(delay) {
    this.next ??= setTimeout(() => {
      this.next = null;
      this.apply();
    }, delay);
  }

  get board() {
    return document.getElementById("board");
  }

  get isBusy() {
    return window.phaseDragging?.() || document.querySelector(".card.is-moving, #card-menu:popover-open, #ask[open], .htmx-request:not(board-live)");
  }

  // The columns as a whole are not changed behind a card, nor under what somebody writes in them.
  get isWritten() {
    const written = [...this.board.querySelectorAll("textarea")].some((field) => field.value);
    return written || document.querySelector("card-panel") || this.board.querySelector(":is(input, textarea):focus");
  }

  apply() {
    if (this.isAsking || this.isBusy || (this.redraws && this.isWritten)) return this.soon(PATIENCE);
    const changed = Object.entries(this.cards).filter(([number, { mark }]) => !this.shows(number, mark));
    for (const [number, card] of Object.entries(this.cards)) {
      this.tellPanel(number, card, changed.some(([other]) => other === number));
    }
    if (this.redraws || changed.length > ONE_BY_ONE) {
      if (this.isWritten) return this.soon(PATIENCE);
      return this.drawBoard();
    }
    this.cards = {};
    if (changed.length) this.drawCards(Object.fromEntries(changed));
  }

  // A card that this page changed by itself is drawn already.
  shows(number, mark) {
    const tile = document.getElementById(`card-${number}`);
    if (mark === null) return !tile;
    const drawn = [tile?.dataset.mark, this.board.laid.get(`card-${number}`)].filter(Boolean);
    return Boolean(mark) && drawn.some((one) => one === mark || Number.parseInt(one) > Number.parseInt(mark));
  }

  async drawCards(cards) {
    const query = new URLSearchParams(this.board.dataset.query);
    for (const number of Object.keys(cards)) query.append("card", number);
    if (await this.ask(`${this.dataset.board}fresh/?${query}`, this, "none")) return;
    this.cards = { ...cards, ...this.cards };
    this.soon(this.isBusy ? PATIENCE : AGAIN);
  }

  async drawBoard() {
    this.redraws = false;
    this.cards = {};
    const place = this.place();
    if (await this.ask(`${this.dataset.board}?${this.board.dataset.query}`, this.board, "outerHTML")) return this.takeUp(place);
    this.redraws = true;
    this.soon(this.isBusy ? PATIENCE : AGAIN);
  }

  async ask(url, target, swap) {
    this.isAsking = true;
    this.isLost = false;
    try {
      await window.htmx.ajax("GET", url, { source: this, target, swap });
    } catch {
      this.isLost = true;
    }
    this.isAsking = false;
    return !this.isLost;
  }

  // A card may have been picked up since we asked: then we ask again.
  arrived(event) {
    const { requestConfig, xhr } = event.detail;
    if (requestConfig?.elt !== this || xhr.status >= 400 || !this.isBusy) return;
    event.detail.shouldSwap = false;
    this.isLost = true;
  }

  // Nobody asked for this, so nobody is told that it failed; it is tried again. A board that is gone says so.
  failed(event) {
    const status = event.detail.xhr?.status ?? 0;
    if (event.type === "htmx:beforeOnLoad" && (status < 400 || status === 404)) return;
    this.isLost = true;
    event.preventDefault();
    event.stopPropagation();
  }

  // Where the person looks, before and after the columns are drawn anew.
  place() {
    const { board } = this;
    return {
      card: board.contains(document.activeElement) && document.activeElement.closest(".card")?.id,
      across: board.querySelector(".board").scrollLeft,
      down: board.columns.map((column) => [column.id, column.querySelector(".column__cards")?.scrollTop]),
    };
  }

  takeUp({ card, across, down }) {
    const { board } = this;
    board.querySelector(".board").scrollLeft = across;
    for (const [id, top] of down) {
      const list = document.getElementById(id)?.querySelector(".column__cards");
      if (list && top) list.scrollTop = top;
    }
    if (card) document.querySelector(`#${card} .card__title a`)?.focus({ preventScroll: true });
  }

  // The open card is not touched: somebody may be writing in it. It says who changed it, or what they did where that is
  // soon said, as which button they pressed, and offers to show how.
  tellPanel(number, { by, did }, isElsewhere) {
    const panel = document.querySelector(`card-panel[data-number="${number}"] .panel`);
    const others = Object.keys(by).filter((id) => id !== this.dataset.me);
    if (!panel || !(others.length || isElsewhere)) return;
    let note = panel.querySelector(".panel__news");
    if (!note) {
      note = this.querySelector("template").content.firstElementChild.cloneNode(true);
      const link = note.querySelector("a");
      link.href = `${this.dataset.cards}${number}/`;
      link.setAttribute("hx-get", link.href);
      panel.querySelector(".panel__head").append(note);
      window.htmx.process(note);
    }
    const told = others.filter((id) => did[id]).map((id) => `${by[id]} ${did[id]}.`);
    const names = others.filter((id) => !did[id]).map((id) => by[id]).join(" and ");
    if (names || !others.length) told.push(`${names || "You, on another page,"} changed this card.`);
    const text = told.join(" ");
    note.querySelector(".panel__who").textContent = text;
    document.dispatchEvent(new CustomEvent("say", { detail: text }));
  }
}

customElements.define("board-live", BoardLive);
