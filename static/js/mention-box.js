// <mention-box>: around a form with a textarea. After an @ it offers the names in #member-names; arrows choose, Enter takes.

const MOST = 6;
let boxes = 0;

const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

class MentionBox extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("textarea");
    if (!this.field || this.list) return;
    this.list = document.createElement("ul");
    this.list.id = `mentions-${++boxes}`;
    this.list.className = "menu mentions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "People to mention");
    this.append(this.list);
    this.field.setAttribute("aria-autocomplete", "list");
    this.field.setAttribute("aria-controls", this.list.id);
    for (const name of ["input", "click", "keydown", "blur"]) this.field.addEventListener(name, this);
    this.list.addEventListener("pointerdown", this);
  }

  handleEvent(event) {
    if (event.type === "keydown") return this.pressed(event);
    if (event.type === "blur") return this.close();
    if (event.type === "pointerdown") return this.touched(event);
    this.look();
  }

  // The name being written: from an @ at the start of a word to the caret, at most two words long.
  get begun() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    return before.match(/(?<=^|[\s([])@([^\s@]*(?: [^\s@]*)?)$/u);
  }

  look() {
    const { begun } = this;
    if (!begun) return this.close();
    const text = folded(begun[1]);
    const names = [...document.querySelectorAll("#member-names option")].map((option) => option.value);
    const fits = (name) => folded(name).startsWith(text) || folded(name).split(" ").some((word) => word.startsWith(text));
    this.show(names.filter(fits).slice(0, MOST));
  }

  show(names) {
    if (!names.length) return this.close();
    this.list.replaceChildren(
      ...names.map((name, at) => {
        const option = document.createElement("li");
        option.id = `${this.list.id}-${at}`;
        option.className = "menu__item";
        option.setAttribute("role", "option");
        option.textContent = name;
        return option;
      }),
    );
    this.list.hidden = false;
    this.mark(0);
  }

  mark(at) {
    const options = [...this.list.children];
    this.at = (at + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === this.at)));
    this.field.setAttribute("aria-activedescendant", options[this.at].id);
  }

  pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return this.field.form.requestSubmit();
    }
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark(this.at + step);
    else if (event.key === "Enter" || event.key === "Tab") this.take(this.list.children[this.at].textContent);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  touched(event) {
    event.preventDefault(); // the caret stays in the text
    const option = event.target.closest("[role=option]");
    if (option) this.take(option.textContent);
  }

  take(name) {
    const caret = this.field.selectionStart;
    this.field.setRangeText(`@${name} `, caret - this.begun[0].length, caret, "end");
    this.close();
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }
}

customElements.define("mention-box", MentionBox);
