// <keep-draft data-key>: around a form with a textarea. What is being written outlives a reload, a closed card and a session
// that ends, in this tab, until it is saved or discarded.

class KeepDraft extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("textarea");
    if (!this.field) return;
    this.restore();
    for (const name of ["input", "reset", "htmx:beforeSwap"]) this.addEventListener(name, this);
  }

  get key() {
    return `draft.${this.dataset.key}`;
  }

  restore() {
    const kept = sessionStorage.getItem(this.key);
    if (kept === null || kept === this.field.value) return;
    this.field.value = kept;
    const editor = this.field.closest("details");
    if (editor) editor.open = true;
  }

  handleEvent(event) {
    if (event.type === "htmx:beforeSwap") return event.detail.xhr.status < 300 && this.forget();
    if (event.type === "reset") return this.forget();
    if (event.target !== this.field) return;
    if (this.field.value.trim()) sessionStorage.setItem(this.key, this.field.value);
    else this.forget();
  }

  forget() {
    sessionStorage.removeItem(this.key);
  }
}

customElements.define("keep-draft", KeepDraft);
