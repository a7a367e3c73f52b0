// <copy-text> around an <input readonly> or a <pre>, and a hidden <button>: shows the button, which puts the text on the clipboard.

class CopyText extends HTMLElement {
  connectedCallback() {
    this.button.hidden = false;
    this.button.addEventListener("click", this);
    this.querySelector("input")?.addEventListener("focus", this);
  }

  get source() {
    return this.querySelector("input, pre");
  }

  get button() {
    return this.querySelector("button");
  }

  handleEvent(event) {
    if (event.type === "focus") return this.source.select();
    this.copy();
  }

  async copy() {
    const { source } = this;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent.trim());
    } catch {
      // Over plain http there is no clipboard: leave the text selected for Ctrl-C.
      source.focus();
      if (source.matches("pre")) getSelection().selectAllChildren(source);
      if (!document.execCommand("copy")) return;
    }
    this.button.querySelector("span").textContent = "Copied";
    document.dispatchEvent(new CustomEvent("say", { detail: "Copied" }));
  }
}

customElements.define("copy-text", CopyText);
