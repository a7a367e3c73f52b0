// <theme-form>: shows the chosen theme at once; the form inside tells the server, which keeps it in a cookie.

const root = document.documentElement;
const device = window.matchMedia("(prefers-color-scheme: dark)");

class ThemeForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this, true);
    this.label();
  }

  handleEvent(event) {
    const button = event.target.closest('button[name="theme"]');
    if (!button) return;
    // The single button of the rail turns to the other one of what is seen now.
    if (!button.hasAttribute("aria-pressed")) button.value = this.isDark ? "light" : "dark";
    if (button.value) root.dataset.theme = button.value;
    else delete root.dataset.theme;
    for (const form of document.querySelectorAll("theme-form")) form.label();
  }

  get isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : device.matches;
  }

  label() {
    for (const button of this.querySelectorAll("button[aria-pressed]")) {
      button.setAttribute("aria-pressed", String(button.value === (root.dataset.theme ?? "")));
    }
  }
}

customElements.define("theme-form", ThemeForm);
