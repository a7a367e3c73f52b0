// <own-zone> around a <select> of time zones: proposes the one this device lives in, while nothing else was chosen.

class OwnZone extends HTMLElement {
  connectedCallback() {
    const select = this.querySelector("select");
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const untouched = select && [...select.options].every((option) => option.selected === option.defaultSelected);
    if (untouched && select.value === "UTC" && [...select.options].some((option) => option.value === zone)) select.value = zone;
  }
}

customElements.define("own-zone", OwnZone);
