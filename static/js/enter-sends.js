// <enter-sends>: around a form whose textarea is one line most of the time: Enter sends it, Shift+Enter makes a line.

class EnterSends extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", this);
  }

  handleEvent(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches("textarea")) return;
    event.preventDefault();
    if (!event.repeat) event.target.form.requestSubmit();
  }
}

customElements.define("enter-sends", EnterSends);
