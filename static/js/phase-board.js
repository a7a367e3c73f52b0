// <phase-board>: shows a move at once, posts it as an intent, and puts the card back with the reason when it is refused.
// Pointer and keyboard live in files of their own; all they do is ask this element to `propose` a place.

const HEARD = ["beforeRequest", "beforeSwap", "oobAfterSwap", "afterSwap", "afterRequest"];
const LONG = 90; // characters of a rank; from 100 on the server writes a column's ranks anew

class PhaseBoard extends HTMLElement {
  connectedCallback() {
    this.queue = [];
    this.laid = new Map(); // the mark of each card that was laid here: board-live.js need not ask for it
    this.mover = this.querySelector("#mover");
    this.menu = document.getElementById("card-menu");
    this.addEventListener("click", this);
    this.addEventListener("keydown", this);
    this.addEventListener("toggle", this, true);
    for (const name of HEARD) document.body.addEventListener(`htmx:${name}`, this);
    this.mover?.addEventListener("htmx:configRequest", (event) => (event.detail.path = this.mover.getAttribute("action")));
  }

  disconnectedCallback() {
    for (const name of HEARD) document.body.removeEventListener(`htmx:${name}`, this);
  }

  handleEvent(event) {
    const handle = {
      click: () => this.clicked(event),
      keydown: () => this.pressed(event),
      toggle: () => this.opened(event),
      "htmx:beforeSwap": () => this.refused(event),
      "htmx:oobAfterSwap": () => this.arrive(event.detail.target),
      "htmx:afterSwap": () => this.swapped(event),
      "htmx:beforeRequest": () => this.asked(event),
      "htmx:afterRequest": () => this.answered(event),
    }[event.type];
    handle?.();
  }

  // Where things are -----------------------------------------------------------------------------------

  get columns() {
    return [...this.querySelectorAll(".column")];
  }

  cards(column) {
    return [...column.querySelectorAll(".column__cards > .card")];
  }

  place(card) {
    const column = card.closest(".column");
    const cards = this.cards(column);
    return { column, index: cards.indexOf(card), count: cards.length };
  }

  say(text) {
    document.dispatchEvent(new CustomEvent("say", { detail: text }));
  }

  title(card) {
    return card.querySelector(".card__title").textContent.trim();
  }

  get mayMove() {
    return this.dataset.mayMove !== undefined;
  }

  // Moving ---------------------------------------------------------------------------------------------

  // The card already stands in the DOM where it should go; `from` is where it came from: {parent, next}.
  propose(card, from) {
    const sameSpot = from.parent === card.parentElement && from.next === card.nextElementSibling;
    if (sameSpot) return;
    const neighbour = (step) => {
      let other = card[step];
      while (other && !other.matches(".card")) other = other[step];
      return other?.dataset.id ?? "";
    };
    this.queue.push({
      card: card.id,
      phase: card.closest(".column").dataset.phase,
      after: neighbour("previousElementSibling"),
      before: neighbour("nextElementSibling"),
      end: "top",
      from,
    });
    const { column, index, count } = this.place(card);
    this.say(`${this.title(card)} moved to ${column.dataset.name}, ${index + 1} of ${count}`);
    this.sendNext();
  }

  // A key or the menu names only the phase: the card goes to its top.
  moveTo(card, column) {
    const from = { parent: card.parentElement, next: card.nextElementSibling };
    const list = column.querySelector(".column__cards");
    if (card.closest(".column") === column) return;
    if (list) {
      this.holding(card, () => list.prepend(card));
      this.propose(card, from);
    } else {
      // A folded column shows no cards: the answer takes this one off the page.
      this.queue.push({ card: card.id, phase: column.dataset.phase, after: "", before: "", end: "top", from });
      this.sendNext();
    }
  }

  sendNext() {
    if (this.sending || !this.queue.length) return;
    const move = (this.sending = this.queue.shift());
    const card = document.getElementById(move.card);
    if (!card) return this.finish();
    this.mover.setAttribute("action", `${this.dataset.cardsUrl}${move.card.slice(5)}/move/`);
    for (const name of ["phase", "after", "before", "end"]) this.mover.elements[name].value = move[name];
    this.mover.elements.revision.value = card.dataset.rev;
    card.classList.add("htmx-request");
    this.mover.requestSubmit();
  }

  finish() {
    document.getElementById(this.sending?.card)?.classList.remove("htmx-request");
    this.sending = null;
    this.sendNext();
  }

  // Refused or lost: the card goes back, and so do the later moves of the same card.
  putBack(move) {
    const card = document.getElementById(move.card);
    this.queue = this.queue.filter((one) => one.card !== move.card);
    if (!card || !move.from.parent.isConnected) return;
    const next = move.from.next?.parentElement === move.from.parent ? move.from.next : null;
    this.holding(card, () => move.from.parent.insertBefore(card, next ?? move.from.parent.querySelector(".more")));
    this.say(`${this.title(card)} went back to ${card.closest(".column").dataset.name}`);
  }

  // Moving an element in the DOM drops its focus; keep it where it was.
  holding(card, change) {
    const focused = card.contains(document.activeElement) ? document.activeElement : null;
    change();
    focused?.focus({ preventScroll: false });
  }

  asked(event) {
    const { elt, requestConfig } = event.detail;
    // A double click opens a card once, and leaves one step to go back.
    if (elt?.closest?.(".card") && requestConfig.triggeringEvent?.detail > 1) return event.preventDefault();
    // A card that is being moved from the menu stays in view and cannot be asked for twice.
    if (elt?.dataset?.move) this.menu?.hidePopover?.();
  }

  // A refused move is put back before the fresh tile is laid over it.
  refused(event) {
    if (event.detail.requestConfig?.elt !== this.mover || event.detail.xhr.status < 400 || !this.sending) return;
    this.putBack(this.sending);
    this.sending.back = true;
  }

  answered(event) {
    if (event.detail.elt === this.mover) {
      if (!event.detail.successful && this.sending && !this.sending.back) this.putBack(this.sending);
      this.finish();
    }
    const adder = event.detail.elt?.closest?.(".quick-add");
    if (adder && event.detail.successful) {
      adder.reset();
      adder.querySelector("textarea").focus();
    }
  }

  // What comes back ------------------------------------------------------------------------------------

  // Fresh tiles are laid into #arrivals; each knows its phase and the card above it.
  arrive(target) {
    if (target?.id !== "arrivals") return;
    for (const tile of [...target.children]) this.lay(tile);
  }

  lay(tile) {
    const quiet = "quiet" in tile.dataset; // a colleague's doing: nothing may scroll
    const old = this.querySelector(`#${tile.id}`);
    const focused = old?.contains(document.activeElement) && (document.activeElement.matches(".card__menu") ? ".card__menu" : ".card__title a");
    const neighbour = focused ? (this.beside(old, "nextElementSibling") ?? this.beside(old, "previousElementSibling")) : null;
    const from = this.sending?.card === tile.id ? this.sending.from.parent : old;
    const wasOpen = from && !from.closest(".column--win");
    const list = this.querySelector(`#phase-${tile.dataset.phase} .column__cards`);
    this.laid.set(tile.id, tile.dataset.mark);
    if (list) this.stand(tile, old, list);
    else [old, tile].forEach((one) => one?.remove());
    if (!tile.isConnected) return neighbour?.querySelector(".card__title a").focus({ preventScroll: true });
    if (quiet) this.highlight(tile);
    else if (!old) tile.scrollIntoView({ block: "nearest" });
    if (wasOpen && list.closest(".column--win")) tile.classList.add("is-fresh");
    if (focused) tile.querySelector(focused).focus({ preventScroll: quiet });
  }

  // Ranks decide, as on the server, so tiles may arrive in any order. A card that is still on its way has none that counts.
  stand(tile, old, list) {
    const moving = new Set([this.sending, ...this.queue].map((move) => move?.card));
    const settled = [...list.querySelectorAll(":scope > .card")].filter((card) => card !== old && !moving.has(card.id));
    const next = settled.find((card) => card.dataset.rank > tile.dataset.rank) ?? null;
    const more = list.querySelector(":scope > .more");
    const isBeyond = more && !next && settled.at(-1)?.id !== `card-${tile.dataset.after}`;
    if (isBeyond) [old, tile].forEach((one) => one?.remove()); // it stands further down than is loaded
    else if (old?.parentElement === list && this.beside(old, "nextElementSibling", settled) === next) old.replaceWith(tile);
    else {
      old?.remove();
      list.insertBefore(tile, next ?? more);
    }
    // Ranks that have grown this long are about to be written anew, if they were not already: then all of them are old.
    if (settled.some((card) => card.dataset.rank.length > LONG)) document.dispatchEvent(new CustomEvent("adrift"));
  }

  // A colleague's change is seen for a moment, by whoever looks.
  highlight(tile) {
    tile.classList.add("is-news");
    tile.addEventListener("animationend", () => tile.classList.remove("is-news"), { once: true });
  }

  beside(card, step, among = this.cards(card.closest(".column"))) {
    let other = card[step];
    while (other && !among.includes(other)) other = other[step];
    return other;
  }

  swapped(event) {
    if (event.detail.requestConfig?.elt?.matches?.(".more")) this.dropTwins();
    if (event.detail.target?.id === "card-menu") this.showMenu(event.detail.requestConfig.elt);
  }

  // What was loaded on scroll may hold cards that were moved there before.
  dropTwins() {
    const seen = new Set();
    for (const card of [...this.querySelectorAll(".card")].reverse()) {
      if (seen.has(card.id)) card.remove();
      seen.add(card.id);
    }
  }

  // The menu ------------------------------------------------------------------------------------------

  showMenu(button) {
    const { menu } = this;
    menu.showPopover();
    const at = button.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - height - 8))}px`;
    menu.querySelector(".menu__item")?.focus();
    menu.onkeydown = (event) => this.menuKey(event, button);
    menu.ontoggle = (event) => {
      if (event.newState === "closed" && (menu.contains(document.activeElement) || document.activeElement === document.body))
        document.getElementById(button.closest(".card")?.id)?.querySelector(".card__title a").focus();
    };
  }

  menuKey(event, button) {
    const items = [...this.menu.querySelectorAll(".menu__item")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
    } else if (event.key === "Tab") this.menu.hidePopover();
    else if (/^[1-9]$/.test(event.key)) {
      const column = this.columns[event.key - 1];
      const card = button.closest(".card");
      if (!column || !card || !this.mayMove) return;
      event.preventDefault();
      this.menu.hidePopover();
      card.querySelector(".card__title a").focus();
      this.moveTo(card, column);
    }
  }

  // Clicks and keys outside a drag -----------------------------------------------------------------------

  clicked(event) {
    if (event.target.closest("[data-close-adder]")) {
      const adder = event.target.closest("details");
      adder.open = false;
      adder.querySelector("summary").focus();
    }
  }

  pressed(event) {
    const field = event.target.closest(".quick-add textarea");
    if (field && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    } else if (field && event.key === "Escape") {
      field.closest("details").open = false;
      field.closest("details").querySelector("summary").focus();
    }
  }

  opened(event) {
    if (event.target.matches?.(".adder[open]")) event.target.querySelector("textarea").focus();
  }
}

customElements.define("phase-board", PhaseBoard);

// "New card" opens the first column's quick add instead of loading the page again.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-new-card]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const adder = document.querySelector(".column:not(.is-folded) .adder");
  if (!adder) return;
  event.preventDefault();
  adder.open = true;
  adder.scrollIntoView({ block: "nearest", inline: "start" });
  adder.querySelector("textarea").focus();
});
