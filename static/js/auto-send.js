// <auto-send>: around a form that is sent as soon as a box is ticked; the tick goes back when the server did not take it.

class AutoSend extends HTMLElement {
  connectedCallback() {
    for (const name of ["change", "htmx:beforeRequest", "htmx:afterRequest"]) this.addEventListener(name, this);
  }

  handleEvent(event) {
    const form = this.querySelector("form");
    const boxes = [...form.querySelectorAll("input[type=checkbox], input[type=radio]")];
    if (event.type === "change") form.requestSubmit();
    else if (event.type === "htmx:beforeRequest") this.sent = boxes.map((box) => box.checked);
    else if (!event.detail.successful) form.reset();
    else boxes.forEach((box, at) => (box.defaultChecked = this.sent[at]));
  }
}

customElements.define("auto-send", AutoSend);
