// <live-region>: says a sentence to screen readers. Any part of the page speaks with
// document.dispatchEvent(new CustomEvent("say", { detail: "Oak kitchen moved to Won, 1 of 4" })).

class LiveRegion extends HTMLElement {
  connectedCallback() {
    document.addEventListener("say", this);
  }

  disconnectedCallback() {
    document.removeEventListener("say", this);
  }

  handleEvent(event) {
    // The same sentence twice is only heard twice when the region was empty in between.
    this.textContent = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.textContent = event.detail), 40);
  }
}

customElements.define("live-region", LiveRegion);
