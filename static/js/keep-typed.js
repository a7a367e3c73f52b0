// <keep-typed>: around a piece with a form that the server draws anew. What is typed while its answer is under way is kept.

class KeepTyped extends HTMLElement {
  connectedCallback() {
    this.addEventListener("htmx:beforeRequest", this);
    this.addEventListener("htmx:beforeSwap", this);
  }

  get fields() {
    return [...this.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((field) => field.id);
  }

  state(field) {
    if (field.type === "checkbox") return String(field.checked);
    return [...(field.selectedOptions ?? [field])].map((one) => one.value).join("\n");
  }

  handleEvent(event) {
    if (event.detail.elt.tagName !== "FORM" && event.type === "htmx:beforeRequest") return;
    if (event.type === "htmx:beforeRequest") {
      this.sent = new Map(this.fields.map((field) => [field.id, this.state(field)]));
      return;
    }
    if (event.detail.target?.id === "rule-says") return;
    const news = this.fields.filter((field) => this.sent?.has(field.id) && this.sent.get(field.id) !== this.state(field));
    document.addEventListener("htmx:afterSwap", () => news.forEach((field) => this.putBack(field)), { once: true });
  }

  putBack(field) {
    const now = document.getElementById(field.id);
    if (!now || now.type !== field.type) return;
    if (field.type === "checkbox") now.checked = field.checked;
    else now.value = field.value;
  }
}

customElements.define("keep-typed", KeepTyped);
