// <sort-list data-form="…"> around a list: its items are reordered by their handle with mouse, touch or keyboard.
// What was meant is written into the form (`phase`, or what data-what names, and `position`) and sent; the page that
// comes back is the truth. Around several lists (data-stage) an item goes from one to the other too, and the form is told
// which (`stage`); what has no data-id stays at the end of its list.

const EDGE = 64; // px from the edge of the scrolling part where it begins to scroll
const PACE = 12; // px a frame, at most

class SortList extends HTMLElement {
  connectedCallback() {
    for (const name of ["pointerdown", "keydown", "focusout"]) this.addEventListener(name, this);
  }

  get lists() {
    const staged = [...this.querySelectorAll("[data-stage]")];
    return staged.length ? staged : [this.querySelector("ol, ul")];
  }

  get items() {
    return this.lists.flatMap((list) => [...list.querySelectorAll(":scope > [data-id]")]);
  }

  // Every spot an item can stand in: before another of a list, or at its end. With one list spots count like places.
  spots(item) {
    let place = 0;
    return this.lists.flatMap((list) => {
      const inside = [...list.querySelectorAll(":scope > [data-id]")].filter((one) => one !== item);
      const spots = [...inside, null].map((before, i) => ({ list, before, place: place + i }));
      place += inside.length;
      return spots;
    });
  }

  spotOf(item) {
    const next = item.nextElementSibling?.closest("[data-id]:not(.drop-line)") ?? null;
    return this.spots(item).findIndex((spot) => spot.list === item.parentElement && spot.before === next);
  }

  handleEvent(event) {
    if (event.type === "keydown") return this.pressed(event);
    if (event.type === "focusout") return this.held && !this.moving && this.putBack();
    if (event.type === "pointerdown") return this.grabbed(event);
    if (event.type === "pointermove") return this.follow(event);
    if (event.type === "pointerup") return this.drop(event);
    if (event.type === "pointercancel") return this.letGo();
  }

  say(text) {
    document.dispatchEvent(new CustomEvent("say", { detail: text }));
  }

  // Sent once it stands where it should; if no good answer comes it goes back.
  send(item, from) {
    const to = this.spotOf(item);
    if (to === from) return;
    const { list, place } = this.spots(item)[to];
    const form = document.getElementById(this.dataset.form);
    const back = (event) => {
      if (!event.detail.successful && item.isConnected) this.stand(item, from);
    };
    form.addEventListener("htmx:afterRequest", back, { once: true });
    form.elements[this.dataset.what ?? "phase"].value = item.dataset.id;
    form.elements.position.value = place;
    if (form.elements.stage) form.elements.stage.value = list.dataset.stage ?? "";
    this.say(`${item.dataset.name} moved to place ${place + 1} of ${this.items.length}`);
    form.requestSubmit();
  }

  stand(item, index) {
    this.place(item, this.spots(item)[index]);
  }

  place(item, { list, before }) {
    const last = [...list.children].find((one) => !one.dataset.id && !one.matches(".drop-line, .group__empty"));
    list.insertBefore(item, before ?? last ?? null);
  }

  // Pointer --------------------------------------------------------------------------------------------

  grabbed(event) {
    const handle = event.target.closest(".handle");
    if (!handle || event.button !== 0) return;
    event.preventDefault(); // no text selection; the focus is set by hand
    handle.focus();
    this.putBack();
    const item = handle.closest("[data-id]");
    const scroller = this.closest(".page__scroll");
    this.drag = { item, handle, scroller, from: this.spotOf(item), y: event.clientY, scrolled: scroller.scrollTop };
    handle.setPointerCapture(event.pointerId);
    for (const name of ["pointermove", "pointerup", "pointercancel"]) handle.addEventListener(name, this);
  }

  follow(event) {
    const { drag } = this;
    if (!drag) return;
    drag.at = event.clientY;
    if (!drag.line) {
      if (Math.abs(drag.at - drag.y) < 4) return;
      drag.line = document.createElement("li");
      drag.line.className = "drop-line";
      drag.line.setAttribute("aria-hidden", "true");
      drag.item.classList.add("is-dragging");
      this.scroll();
    }
    this.show();
  }

  show() {
    const { drag } = this;
    const shift = drag.at - drag.y + drag.scroller.scrollTop - drag.scrolled;
    drag.item.style.translate = `10px ${shift}px`;
    const middle = (one) => one.getBoundingClientRect().top + one.offsetHeight / 2;
    const top = (list) => (list.closest(".group") ?? list).getBoundingClientRect().top;
    const list = this.lists.findLast((one) => top(one) <= drag.at) ?? this.lists[0];
    const spots = this.spots(drag.item);
    drag.to = spots.findIndex((spot) => spot.list === list && (!spot.before || drag.at < middle(spot.before)));
    this.place(drag.line, spots[drag.to]);
    drag.line.hidden = drag.to === drag.from;
  }

  scroll() {
    const { drag } = this;
    if (!drag?.line) return;
    const box = drag.scroller.getBoundingClientRect();
    const beyond = Math.max(0, drag.at - (box.bottom - EDGE)) - Math.max(0, box.top + EDGE - drag.at);
    if (beyond) {
      drag.scroller.scrollTop += Math.sign(beyond) * Math.min(PACE, Math.abs(beyond) / 4);
      this.show();
    }
    requestAnimationFrame(() => this.scroll());
  }

  drop() {
    const { drag } = this;
    this.letGo();
    if (!drag?.line) return;
    this.moving = true;
    this.stand(drag.item, drag.to);
    drag.handle.focus();
    this.moving = false;
    this.send(drag.item, drag.from);
  }

  letGo() {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    drag.line?.remove();
    drag.item.classList.remove("is-dragging");
    drag.item.style.translate = "";
    for (const name of ["pointermove", "pointerup", "pointercancel"]) drag.handle.removeEventListener(name, this);
  }

  // Keyboard: Space picks up, arrows move, Space drops, Escape puts back --------------------------------

  pressed(event) {
    if (event.key === "Escape" && this.drag) return this.letGo();
    const handle = event.target.closest(".handle");
    if (!handle) return;
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (this.held) this.putDown();
      else this.pickUp(handle);
    } else if (this.held && event.key === "Escape") {
      event.stopPropagation();
      this.putBack();
    } else if (this.held && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.step(event.key === "ArrowUp" ? -1 : 1);
    }
  }

  pickUp(handle) {
    const item = handle.closest("[data-id]");
    this.held = { item, handle, from: this.spotOf(item) };
    item.classList.add("is-held");
    this.say(`${item.dataset.name} picked up, place ${this.items.indexOf(item) + 1} of ${this.items.length}. Arrows move it, space drops it.`);
  }

  step(by) {
    const { item, handle } = this.held;
    const spots = this.spots(item);
    const to = Math.min(spots.length - 1, Math.max(0, this.spotOf(item) + by));
    this.moving = true;
    this.stand(item, to);
    handle.focus();
    this.moving = false;
    item.scrollIntoView({ block: "nearest" });
    const group = spots[to].list.closest("[data-stage]")?.parentElement.getAttribute("aria-label");
    this.say(`Place ${spots[to].place + 1} of ${this.items.length}${group ? `, ${group}` : ""}`);
  }

  putDown() {
    const { item, from } = this.held;
    this.release();
    if (this.spotOf(item) === from) return this.say(`${item.dataset.name} stays where it was`);
    this.send(item, from);
  }

  putBack() {
    if (!this.held) return;
    const { item, handle, from } = this.held;
    const focused = document.activeElement === handle;
    this.release();
    this.stand(item, from);
    if (focused) handle.focus();
    this.say(`${item.dataset.name} is back at place ${this.items.indexOf(item) + 1}`);
  }

  release() {
    this.held.item.classList.remove("is-held");
    this.held = null;
  }
}

customElements.define("sort-list", SortList);
