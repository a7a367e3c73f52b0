// <card-panel>: a card open over its board. What lies behind is out of reach, Escape and the scrim lead back to the card on
// the board, M and 1 to 9 move it, and a part in which somebody is writing is never redrawn under their hands.

const HEARD = ["beforeSwap", "oobBeforeSwap", "afterSwap"];
const EXEMPT = "#toasts, #say, #ask, script, template"; // what stays in reach: notices with their Undo, and what a button asks
const WRITING = "input:not([type=checkbox], [type=radio]), textarea, select";

const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;
const isSeen = (element) => element?.checkVisibility?.() ?? Boolean(element?.offsetParent);

function isUnsaved(form) {
  return [...form.elements].some((field) => {
    if (field.type === "hidden" || field.type === "search") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    return "defaultValue" in field && field.value !== field.defaultValue;
  });
}

class CardPanel extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector(".panel");
    this.shutOff();
    this.addEventListener("click", (event) => this.isMeant(event), true);
    this.addEventListener("click", this);
    this.addEventListener("focusin", this);
    document.addEventListener("keydown", this);
    for (const name of HEARD) document.body.addEventListener(`htmx:${name}`, this);
    this.dialog.focus({ preventScroll: true });
  }

  disconnectedCallback() {
    for (const element of this.behind) element.inert = false;
    document.removeEventListener("keydown", this);
    for (const name of HEARD) document.body.removeEventListener(`htmx:${name}`, this);
  }

  handleEvent(event) {
    const handle = {
      click: () => this.clicked(event),
      focusin: () => this.remember(event.target),
      keydown: () => this.pressed(event),
      "htmx:beforeSwap": () => this.answered(event.detail),
      "htmx:oobBeforeSwap": () => this.protect(event),
      "htmx:afterSwap": () => this.holdFocus(),
    };
    handle[event.type]();
  }

  // What is behind a modal dialog cannot be reached; unlike with aria-modal, notices beside it still can.
  shutOff() {
    this.behind = [];
    for (let level = this; level !== document.body; level = level.parentElement) {
      for (const element of level.parentElement.children) {
        if (element === level || element.inert || element.matches(EXEMPT)) continue;
        element.inert = true;
        this.behind.push(element);
      }
    }
  }

  // The second click of a double click on a card falls on the panel that the first one brought. It presses nothing there.
  isMeant(event) {
    if (event.detail < 2) this.isPressed = true;
    if (this.isPressed) return;
    event.preventDefault();
    event.stopPropagation();
  }

  clicked(event) {
    const way = event.target.closest("[data-close]");
    if (way && plain(event) && !event.shiftKey && event.button === 0) this.leave(event);
  }

  pressed(event) {
    if (event.defaultPrevented || !plain(event)) return;
    if (event.target !== document.body && !this.contains(event.target)) return;
    if (event.key === "Escape") return this.leave(event);
    if (event.target.matches(WRITING)) return;
    if (/^[1-9]$/.test(event.key)) return this.moveTo(event);
    if (event.key.toLowerCase() === "m") return this.showMoves(event);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.walk(event);
  }

  moveTo(event) {
    const button = this.querySelector(`[data-step="${event.key}"]`);
    if (!button || event.repeat) return;
    event.preventDefault();
    button.click();
  }

  showMoves(event) {
    const here = this.querySelector("#move [aria-current]") ?? this.querySelector("#move button");
    if (!here) return;
    event.preventDefault();
    here.focus();
  }

  walk(event) {
    const moves = [...this.querySelectorAll("#move button")];
    const at = moves.indexOf(event.target);
    if (at === -1) return;
    event.preventDefault();
    moves[(at + (event.key === "ArrowDown" ? 1 : moves.length - 1)) % moves.length].focus();
  }

  // Without a board behind, the link leads there by itself.
  leave(event) {
    if (!document.querySelector(".board")) return event.key === "Escape" && window.location.assign(this.dataset.board);
    event.preventDefault();
    if (this.dataset.pushed !== undefined) return window.history.back();
    window.history.replaceState({ htmx: true }, "", this.dataset.board);
    this.shut();
  }

  shut() {
    const { number, title } = this.dataset;
    this.remove();
    document.title = title;
    const card = document.querySelector(`#card-${number} .card__title a`) ?? document.querySelector(".board");
    card?.focus();
  }

  answered({ requestConfig, xhr }) {
    this.sent = requestConfig?.elt;
    this.isRefused = xhr.status >= 400;
  }

  // htmx replaces parts of the panel; keep those that hold unsaved words, and leave open what was open. What was sent is
  // saved now, or comes back with the reason; when a refusal has no form to show it at, the old one keeps the words.
  protect(event) {
    const { target, fragment } = event.detail;
    if (!this.contains(target)) return;
    const comesBack = (form) => fragment.querySelector(`form[action="${CSS.escape(form.getAttribute("action"))}"]`);
    const isSettled = (form) => form === this.sent && (!this.isRefused || comesBack(form));
    if ([...target.querySelectorAll("form")].some((form) => isUnsaved(form) && !isSettled(form))) {
      event.detail.shouldSwap = false;
      return;
    }
    for (const open of target.querySelectorAll("details[data-stays][open]")) {
      fragment.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
  }

  // Focus that was in a part now replaced goes to the same place in the new one, or to what opens it.
  remember(element) {
    const opener = element.closest("details")?.querySelector(":scope > summary");
    this.places = [element.id, opener?.id].filter(Boolean);
  }

  holdFocus() {
    if (document.activeElement && document.activeElement !== document.body) return;
    const place = this.places?.map((id) => document.getElementById(id)).find(isSeen);
    (place ?? this.dialog).focus({ preventScroll: true });
  }
}

customElements.define("card-panel", CardPanel);

// The back button leads from the card to its board, which is still there behind it. This listens before htmx does,
// which would load the page anew.
window.addEventListener("popstate", (event) => {
  const panel = document.querySelector("card-panel");
  if (!panel || !document.querySelector(".board")) return;
  if (window.location.pathname !== new URL(panel.dataset.board, window.location.href).pathname) return;
  event.stopImmediatePropagation();
  panel.shut();
});
