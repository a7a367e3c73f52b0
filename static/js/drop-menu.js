// <drop-menu> around a <details>: closes on Escape, on a click elsewhere and when the focus leaves; arrows walk its items.

class DropMenu extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", this);
    this.addEventListener("focusout", this);
    this.addEventListener("toggle", this, true);
  }

  disconnectedCallback() {
    document.removeEventListener("pointerdown", this, true);
  }

  get details() {
    return this.querySelector(":scope > details");
  }

  get items() {
    return [...this.details.querySelectorAll(".menu__item, .menu button, .menu a[href], .menu input")].filter(
      (item, at, all) => !item.disabled && item.offsetParent !== null && all.indexOf(item) === at,
    );
  }

  handleEvent(event) {
    if (event.type === "toggle") return event.target === this.details && this.toggled();
    if (event.type === "keydown") return this.pressed(event);
    if (event.type === "focusout") {
      const to = event.relatedTarget;
      if (to && !this.contains(to)) this.close();
    } else if (!this.contains(event.target)) this.close();
  }

  toggled() {
    const listen = this.details.open ? document.addEventListener : document.removeEventListener;
    listen.call(document, "pointerdown", this, true);
  }

  pressed(event) {
    if (!this.details.open) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
      this.details.querySelector(":scope > summary").focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches("textarea, select, input:not([type=checkbox])")) return;
    event.preventDefault();
    const { items } = this;
    const at = items.indexOf(document.activeElement);
    items.at((at === -1 && step < 0 ? 0 : at + step) % items.length)?.focus();
  }

  close() {
    this.details.open = false;
  }
}

customElements.define("drop-menu", DropMenu);
