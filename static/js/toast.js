// <toast-note>: a notice at the edge. Goes after six seconds, waits while looked at; an error stays until dismissed.

const LINGER = 6000;
const MOST = 3;

class ToastNote extends HTMLElement {
  connectedCallback() {
    if (this.closest("template")) return;
    this.stays = this.classList.contains("toast--error");
    const close = this.querySelector("[data-dismiss]");
    if (close) close.hidden = false;
    this.addEventListener("click", this);
    this.addEventListener("keydown", this);
    for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"]) this.addEventListener(name, this);
    // What was asked of the form in here is on its way: the notice has done its work.
    this.addEventListener("htmx:afterRequest", this);
    this.makeRoom();
    this.start();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  handleEvent(event) {
    if (event.type === "click") return event.target.closest("[data-dismiss]") && this.dismiss();
    if (event.type === "keydown") return event.key === "Escape" && (event.stopPropagation(), this.dismiss());
    if (event.type === "htmx:afterRequest") return event.detail.successful && this.dismiss();
    if (event.type === "pointerenter" || event.type === "focusin") return clearTimeout(this.timer);
    if (!this.matches(":hover") && !this.contains(event.relatedTarget)) this.start();
  }

  start() {
    clearTimeout(this.timer);
    if (!this.stays) this.timer = setTimeout(() => this.dismiss(), LINGER);
  }

  dismiss() {
    this.remove();
  }

  makeRoom() {
    const all = [...(this.parentElement?.querySelectorAll(":scope toast-note") ?? [])];
    const looked = (toast) => toast.matches(":hover, :focus-within");
    const spare = [...all.filter((t) => !t.stays && !looked(t)), ...all.filter((t) => t.stays && !looked(t))];
    for (const toast of spare.filter((t) => t !== this).slice(0, Math.max(0, all.length - MOST))) toast.remove();
  }
}

customElements.define("toast-note", ToastNote);
