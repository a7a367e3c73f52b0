// <phase-tabs>: on a phone, marks the phase that is in view, and brings a tapped one there without leaving the page's address.

class PhaseTabs extends HTMLElement {
  connectedCallback() {
    const columns = [...document.querySelectorAll("phase-board .column")];
    this.watcher = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) if (entry.isIntersecting) this.mark(entry.target.id);
      },
      { root: document.querySelector("phase-board .board"), threshold: 0.6 },
    );
    for (const column of columns) this.watcher.observe(column);
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
  }

  handleEvent(event) {
    const tab = event.target.closest("a");
    if (!tab) return;
    event.preventDefault();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.querySelector(tab.hash)?.scrollIntoView({ inline: "start", block: "nearest", behavior: calm ? "instant" : "smooth" });
  }

  mark(id) {
    for (const tab of this.querySelectorAll("a")) {
      if (tab.hash === `#${id}`) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }
}

customElements.define("phase-tabs", PhaseTabs);
