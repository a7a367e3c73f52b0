// <copy-link data-url>: around a button that puts the address on the clipboard; hidden where there are no scripts.

class CopyLink extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", this);
  }

  async handleEvent() {
    const url = new URL(this.dataset.url, window.location.href).href;
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      if (!this.copyTheOldWay(url)) return;
    }
    this.classList.add("is-done");
    setTimeout(() => this.classList.remove("is-done"), 2000);
    document.dispatchEvent(new CustomEvent("say", { detail: "Link copied" }));
  }

  // Over plain http there is no clipboard to write to.
  copyTheOldWay(url) {
    const button = document.activeElement;
    const field = this.appendChild(Object.assign(document.createElement("textarea"), { value: url, className: "visually-hidden" }));
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    button?.focus();
    return copied;
  }
}

customElements.define("copy-link", CopyLink);
