// <form-rows>: adds, removes and reorders the rows of a form without asking the server; the buttons inside do the same
// for a page without scripts, by name="row" value="<kind>:add", "<kind>:first:<n>" or "<kind>:out:<n>".

let made = 0;

class FormRows extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this);
  }

  get rows() {
    return [...this.querySelectorAll(":scope > [data-row]")];
  }

  handleEvent(event) {
    const button = event.target.closest('button[name="row"]');
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-row]");
    const wish = button.value.split(":")[1];
    if (wish === "add") this.add();
    if (wish === "first") this.first(row);
    if (wish === "out") this.out(row);
  }

  add() {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true);
    made += 1;
    for (const part of row.querySelectorAll("[id], [for]")) {
      if (part.id) part.id += made;
      if (part.htmlFor) part.htmlFor += made;
    }
    this.querySelector(".parts__add").before(row);
    this.focus(row);
  }

  first(row) {
    this.rows[0].before(row);
    this.focus(row);
    document.dispatchEvent(new CustomEvent("say", { detail: "This is the primary one now." }));
  }

  out(row) {
    const { rows } = this;
    const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
    row.remove();
    if (next) this.focus(next);
    else this.add();
  }

  focus(row) {
    row.querySelector("input, textarea").focus();
  }
}

customElements.define("form-rows", FormRows);
