// <people-list>: keeps the row of the contact that stands beside the list marked, whichever of the two was redrawn.

class PeopleList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("htmx:afterSettle", this);
  }

  handleEvent() {
    const chosen = this.querySelector("#beside [data-person]")?.dataset.person;
    for (const link of this.querySelectorAll("a[data-person]")) {
      if (link.dataset.person === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}

customElements.define("people-list", PeopleList);
