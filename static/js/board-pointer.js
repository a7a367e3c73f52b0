// Dragging cards with a mouse, a pen or a finger. A mouse drags after six pixels; a finger holds for a moment first, so that
// a swipe always scrolls.

const THRESHOLD = 6; // pixels a mouse may tremble
const HOLD = 200; // milliseconds a finger rests before the card lifts
const SLACK = 9; // pixels a resting finger may wander
const EDGE = 56; // pixels from an edge in which the board scrolls by itself
const SPEED = 16; // pixels a frame at the very edge

class Drag {
  constructor(board, card, event) {
    this.board = board;
    this.card = card;
    this.id = event.pointerId;
    this.start = this.at = { x: event.clientX, y: event.clientY };
    this.touch = event.pointerType === "touch";
    if (this.touch) this.timer = setTimeout(() => this.lift(), HOLD);
  }

  get lifted() {
    return Boolean(this.slot);
  }

  moved(event) {
    this.at = { x: event.clientX, y: event.clientY };
    const distance = Math.hypot(this.at.x - this.start.x, this.at.y - this.start.y);
    if (this.lifted) return this.follow();
    if (this.touch) return distance > SLACK && this.cancel();
    if (distance > THRESHOLD) this.lift();
  }

  lift() {
    const { card } = this;
    const box = card.getBoundingClientRect();
    this.from = { parent: card.parentElement, next: card.nextElementSibling };
    this.grip = { x: this.start.x - box.left, y: this.start.y - box.top };
    this.slot = document.createElement("div");
    this.slot.className = "slot";
    this.slot.setAttribute("aria-hidden", "true");
    this.slot.style.setProperty("--slot", `${box.height}px`);
    card.before(this.slot);
    Object.assign(card.style, { position: "fixed", inlineSize: `${box.width}px`, margin: 0, left: 0, top: 0, pointerEvents: "none" });
    card.classList.add("is-dragging");
    this.board.classList.add("is-dragging");
    document.documentElement.classList.add("is-dragging");
    if (this.touch) navigator.vibrate?.(12);
    getSelection()?.removeAllRanges();
    this.follow();
    this.frame = requestAnimationFrame(() => this.scroll());
  }

  follow() {
    const { card, at, grip } = this;
    card.style.translate = `${at.x - grip.x}px ${at.y - grip.y}px`;
    const column = (this.column = this.columnAt(at.x));
    for (const one of this.board.columns) one.classList.toggle("is-over", one === column);
    const list = column.querySelector(".column__cards");
    this.slot.hidden = !list; // a folded column takes the card, but has no place to show
    if (!list) return;
    const before = this.board.cards(column).find((other) => {
      if (other === card) return false;
      const box = other.getBoundingClientRect();
      return at.y < box.top + box.height / 2;
    });
    const next = before ?? list.querySelector(":scope > .more");
    if (this.slot.parentElement !== list || this.slot.nextElementSibling !== (next ?? null)) list.insertBefore(this.slot, next ?? null);
  }

  columnAt(x) {
    const inside = this.board.columns.find((column) => {
      const box = column.getBoundingClientRect();
      return x >= box.left - 4 && x <= box.right + 4;
    });
    return inside ?? this.column ?? this.slot.closest(".column");
  }

  scroll() {
    const push = (near, far) => (near < EDGE ? near - EDGE : far < EDGE ? EDGE - far : 0) / EDGE;
    const clamp = (value) => Math.max(-1, Math.min(1, value));
    const frame = this.board.querySelector(".board");
    const side = frame.getBoundingClientRect();
    frame.scrollLeft += SPEED * clamp(push(this.at.x - side.left, side.right - this.at.x));
    const list = this.slot.closest(".column__cards");
    const box = list.getBoundingClientRect();
    list.scrollTop += SPEED * clamp(push(this.at.y - box.top, box.bottom - this.at.y));
    this.follow();
    this.frame = requestAnimationFrame(() => this.scroll());
  }

  drop() {
    const { card, slot } = this;
    if (slot.hidden) return this.dropOnFolded();
    const was = card.getBoundingClientRect();
    slot.replaceWith(card);
    this.rest();
    glide(card, was);
    card.querySelector(".card__title a").focus({ preventScroll: true });
    this.board.propose(card, this.from);
  }

  // The card waits where it was for the answer, which takes it off the page.
  dropOnFolded() {
    const { board, card, column, from, slot } = this;
    from.parent.insertBefore(card, from.next);
    slot.remove();
    this.rest();
    card.querySelector(".card__title a").focus({ preventScroll: true });
    board.moveTo(card, column);
  }

  cancel() {
    clearTimeout(this.timer);
    if (!this.lifted) return this.end();
    const { card, from } = this;
    const was = card.getBoundingClientRect();
    from.parent.insertBefore(card, from.next);
    this.slot.remove();
    this.rest();
    glide(card, was);
    this.board.say(`${this.board.title(card)} went back to ${card.closest(".column").dataset.name}`);
  }

  rest() {
    cancelAnimationFrame(this.frame);
    const { card } = this;
    card.removeAttribute("style"); // also an empty one: htmx would copy it, which the content policy forbids
    card.classList.remove("is-dragging");
    this.board.classList.remove("is-dragging");
    document.documentElement.classList.remove("is-dragging");
    for (const column of this.board.columns) column.classList.remove("is-over");
    this.slot = null;
    this.end();
  }

  end() {
    clearTimeout(this.timer);
    if (current === this) current = null;
  }
}

let current = null;
let dropped = false;

// The card slides from where it was let go to where it belongs.
function glide(card, was) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const now = card.getBoundingClientRect();
  card.animate([{ translate: `${was.left - now.left}px ${was.top - now.top}px`, rotate: "2.2deg" }, { translate: "0 0", rotate: "0deg" }], {
    duration: 180,
    easing: "cubic-bezier(0.2, 0.8, 0.2, 1)",
  });
}

document.addEventListener("pointerdown", (event) => {
  dropped = false;
  const card = event.target.closest?.("phase-board[data-may-move] .card");
  if (!card || event.button !== 0 || !event.isPrimary || current || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.target.closest(".card__menu, button, input")) return;
  current = new Drag(card.closest("phase-board"), card, event);
});

document.addEventListener("pointermove", (event) => current?.id === event.pointerId && current.moved(event));

document.addEventListener("pointerup", (event) => {
  if (current?.id !== event.pointerId) return;
  if (!current.lifted) return current.end();
  dropped = true;
  current.drop();
});

// The browser took the finger for scrolling, or the window lost it.
document.addEventListener("pointercancel", (event) => current?.id === event.pointerId && current.cancel());
window.addEventListener("blur", () => current?.lifted && current.cancel());

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !current?.lifted) return;
  event.preventDefault();
  event.stopPropagation();
  current.cancel();
}, true);

// Once a card is lifted, the finger moves it and not the page.
document.addEventListener("touchmove", (event) => current?.lifted && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => current?.touch && event.preventDefault());
document.addEventListener("dragstart", (event) => event.target.closest?.("phase-board .card") && event.preventDefault());

// The click that follows a drop opens nothing.
document.addEventListener("click", (event) => {
  if (!dropped) return;
  dropped = false;
  event.preventDefault();
  event.stopPropagation();
}, true);

// While somebody holds a card, or is about to, what others changed waits: nothing may jump, or go, under the hand.
window.phaseDragging = () => Boolean(current);
