// <ask-dialog>: what a phase asks for, in a dialog over the board; closing it leaves the card where it was.

class AskDialog extends HTMLElement {
  connectedCallback() {
    this.dialog = document.getElementById("ask");
    if (!this.dialog || !this.dialog.contains(this)) return;
    if (!this.dialog.open) {
      this.from = document.activeElement;
      this.dialog.showModal();
    }
    (this.querySelector('[aria-invalid="true"]') ?? this.querySelector("input:not([type=hidden]), select, textarea"))?.focus();
    this.addEventListener("click", this);
  }

  // Emptied by the answer of a move that went through.
  disconnectedCallback() {
    queueMicrotask(() => {
      if (this.dialog?.open && !this.dialog.querySelector("ask-dialog")) this.dialog.close();
    });
  }

  handleEvent(event) {
    if (!event.target.closest("[data-cancel]")) return;
    event.preventDefault();
    this.dialog.close();
  }
}

customElements.define("ask-dialog", AskDialog);
