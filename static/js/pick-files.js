// <pick-files data-most="bytes"> around a form with a file input: what is chosen, or dropped here, is sent at once. What is
// too large is said before it is sent for nothing, and how much has arrived meanwhile.

const HEARD = ["change", "dragover", "dragleave", "drop", "htmx:beforeRequest", "htmx:xhr:progress", "htmx:afterRequest"];
const brings = (event) => event.dataTransfer?.types.includes("Files");

class PickFiles extends HTMLElement {
  connectedCallback() {
    for (const name of HEARD) this.addEventListener(name, this);
  }

  get input() {
    return this.querySelector("input[type=file]");
  }

  handleEvent(event) {
    if (!this.input) return;
    if (event.type === "change" && event.target === this.input) this.send();
    else if (event.type.startsWith("drag") || event.type === "drop") this.dragged(event);
    else if (event.target === this.input.form) this.show(event);
  }

  dragged(event) {
    if (!brings(event)) return;
    event.preventDefault();
    this.classList.toggle("is-over", event.type === "dragover");
    if (event.type !== "drop") return;
    this.input.files = event.dataTransfer.files;
    this.send();
  }

  send() {
    const { files, form } = this.input;
    const large = [...files].find((file) => file.size > Number(this.dataset.most));
    this.say(large ? `${large.name} is too large: a file may have at most ${Math.floor(this.dataset.most / 1048576)} MB.` : "");
    if (large) form.reset();
    else if (files.length) form.requestSubmit();
  }

  say(text) {
    const error = this.querySelector(":scope > .error");
    error.querySelector("span").textContent = text;
    error.hidden = !text;
    this.input.toggleAttribute("aria-invalid", Boolean(text));
  }

  show(event) {
    const bar = this.querySelector("progress");
    bar.hidden = event.type === "htmx:afterRequest";
    if (event.type === "htmx:beforeRequest") bar.removeAttribute("value");
    else if (event.detail.lengthComputable) bar.value = (100 * event.detail.loaded) / event.detail.total;
    if (event.type === "htmx:afterRequest") this.answered(event.detail);
  }

  // What did not arrive is not chosen any more, so that the same files can be chosen again.
  answered({ xhr, successful }) {
    if (successful || xhr.status === 422) return;
    this.input.form.reset();
    if (xhr.status === 413) this.say("That is too much at once. Send the files one after the other.");
  }
}

customElements.define("pick-files", PickFiles);
