// <copy-text> around an <input readonly> and a hidden <button>: shows the button, which puts the text on the clipboard.

class CopyText extends HTMLElement {
  connectedCallback() {
    this.button.hidden = false;
    this.button.addEventListener("click", this);
    this.input.addEventListener("focus", this);
  }

  get input() {
    return this.querySelector("input");
  }

  get button() {
    return this.querySelector("button");
  }

  handleEvent(event) {
    if (event.type === "focus") return this.input.select();
    this.copy();
  }

  async copy() {
    const { input } = this;
    try {
      await navigator.clipboard.writeText(input.value);
    } catch {
      // Over plain http there is no clipboard: leave the text selected for Ctrl-C.
      input.focus();
      if (!document.execCommand("copy")) return;
    }
    this.button.querySelector("span").textContent = "Copied";
    document.dispatchEvent(new CustomEvent("say", { detail: "Copied" }));
  }
}

customElements.define("copy-text", CopyText);
