// Moving cards by keyboard: Space picks up, arrows move, Space drops, Esc puts back; M opens the menu, 1 to 9 pick a phase.

let held = null; // {card, from, board}

const link = (card) => card.querySelector(".card__title a");

function pickUp(board, card) {
  held = { board, card, from: { parent: card.parentElement, next: card.nextElementSibling } };
  card.classList.add("is-moving");
  const { column, index, count } = board.place(card);
  board.say(`${board.title(card)} picked up. ${column.dataset.name}, ${index + 1} of ${count}. Arrows move it, Space drops it, Escape puts it back.`);
}

function letGo() {
  const was = held;
  held.card.classList.remove("is-moving");
  held = null;
  return was;
}

function drop() {
  const { board, card, from } = letGo();
  if (from.parent === card.parentElement && from.next === card.nextElementSibling) return board.say(`${board.title(card)} stayed where it was.`);
  board.propose(card, from);
}

function putBack() {
  const { board, card, from } = letGo();
  board.holding(card, () => from.parent.insertBefore(card, from.next));
  board.say(`${board.title(card)} is back in ${card.closest(".column").dataset.name}.`);
}

function carry(key) {
  const { board, card } = held;
  const { column, index } = board.place(card);
  const cards = board.cards(column);
  if (key === "ArrowUp" && index > 0) board.holding(card, () => cards[index - 1].before(card));
  else if (key === "ArrowDown" && index < cards.length - 1) board.holding(card, () => cards[index + 1].after(card));
  else if (key === "ArrowLeft" || key === "ArrowRight") {
    const open = board.columns.filter((one) => one.querySelector(".column__cards"));
    const to = open[open.indexOf(column) + (key === "ArrowRight" ? 1 : -1)];
    if (!to) return;
    const list = to.querySelector(".column__cards");
    board.holding(card, () => list.insertBefore(card, board.cards(to)[index] ?? list.querySelector(":scope > .more")));
  }
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
  const now = board.place(card);
  board.say(`${now.column.dataset.name}, ${now.index + 1} of ${now.count}`);
}

// Without a card in hand the arrows walk from card to card.
function walk(board, card, key) {
  const { column, index } = board.place(card);
  const cards = board.cards(column);
  const side = (step) => {
    const open = board.columns.filter((one) => board.cards(one).length);
    const to = open[open.indexOf(column) + step];
    return to && (board.cards(to)[index] ?? board.cards(to).at(-1));
  };
  const next = { ArrowUp: () => cards[index - 1], ArrowDown: () => cards[index + 1], ArrowLeft: () => side(-1), ArrowRight: () => side(1) }[key]();
  next && link(next).focus();
}

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("phase-board .card");
  if (!card || event.target !== link(card) || event.ctrlKey || event.metaKey || event.altKey) return;
  const board = card.closest("phase-board");
  const { key } = event;
  const arrow = key.startsWith("Arrow");
  if (held) {
    if (![" ", "Enter", "Escape"].includes(key) && !arrow) return;
    event.preventDefault();
    event.stopPropagation();
    if (arrow) carry(key);
    else if (key === "Escape") putBack();
    else drop();
    return;
  }
  if (arrow) {
    event.preventDefault();
    walk(board, card, key);
  } else if (key === " " && board.mayMove) {
    event.preventDefault();
    pickUp(board, card);
  } else if (key.toLowerCase() === "m") {
    event.preventDefault();
    card.querySelector(".card__menu").click();
  } else if (/^[1-9]$/.test(key) && board.mayMove) {
    event.preventDefault();
    const column = board.columns[key - 1];
    if (column) board.moveTo(card, column);
  }
});

// The card in hand is put back when the person goes elsewhere.
document.addEventListener("focusin", (event) => held && !held.card.contains(event.target) && putBack());
