// <edit-in-place>: around a shown text and a <details class="edit"> with the form that changes it. Opening goes to the first
// field, Escape closes and keeps what was typed, Cancel discards it, Ctrl+Enter saves; a click on the shown text opens too.

const FIELD = '[aria-invalid="true"], input:not([type="hidden"]), textarea, select';

class EditInPlace extends HTMLElement {
  connectedCallback() {
    this.addEventListener("toggle", this, true);
    for (const name of ["keydown", "click", "reset"]) this.addEventListener(name, this);
  }

  get details() {
    return this.querySelector("details.edit");
  }

  handleEvent(event) {
    const handle = { toggle: this.toggled, keydown: this.pressed, click: this.clicked, reset: this.close };
    if (this.details) handle[event.type].call(this, event);
  }

  toggled(event) {
    if (event.target !== this.details || !this.details.open) return;
    const field = this.details.querySelector('[aria-invalid="true"]') ?? this.details.querySelector(FIELD);
    field?.focus();
    if (field?.matches('input:not([type="checkbox"], [type="date"], [type="time"])')) field.select();
    else if (field?.matches("textarea")) field.setSelectionRange(field.value.length, field.value.length);
  }

  pressed(event) {
    if (!this.details.open || !this.details.contains(event.target)) return;
    if (event.key === "Escape" && !event.defaultPrevented) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented) {
      event.target.closest("form")?.requestSubmit();
    }
  }

  clicked(event) {
    const shown = event.target.closest("[data-opens]");
    if (!shown || event.target.closest("a, button") || !window.getSelection().isCollapsed) return;
    this.details.open = true;
  }

  close() {
    const { details } = this;
    details.open = false;
    details.querySelector(":scope > summary").focus();
  }
}

customElements.define("edit-in-place", EditInPlace);
