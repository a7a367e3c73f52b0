// <api-try>: sends the requests that its forms describe, with the token typed into it, and shows what comes back.
//
// Here a script fetches, which no other of ours does: the page is there to speak JSON with a token, as a program would, and a
// form can do neither. The token is read when a request is sent. It is in no storage, no address and no form that is sent.

class ApiTry extends HTMLElement {
  connectedCallback() {
    for (const part of this.querySelectorAll("[data-door], form[data-method]")) part.hidden = false;
    this.sure = this.querySelector("[data-sure]");
    this.addEventListener("submit", this);
    this.addEventListener("input", this);
    this.sure.addEventListener("click", this);
    addEventListener("hashchange", this);
    addEventListener("pagehide", this);
    this.openNamed();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this);
    removeEventListener("pagehide", this);
  }

  get token() {
    return this.querySelector("[data-token]");
  }

  handleEvent(event) {
    if (event.type === "hashchange") this.openNamed();
    else if (event.type === "pagehide") this.token.value = "";
    else if (event.type === "input") this.showCommand(event.target.closest("form[data-method]"));
    else if (event.type === "submit") this.ask(event);
    else if (event.target.closest("[data-send]")) this.sendAsked();
    else if (event.target.closest("[data-leave]")) this.sure.close();
  }

  openNamed() {
    const named = document.getElementById(location.hash.slice(1));
    if (!named || !this.contains(named)) return;
    if (named.matches("details")) named.open = true;
    named.scrollIntoView();
  }

  ask(event) {
    event.preventDefault();
    const form = event.target;
    if (!form.matches("[data-method]")) return;
    if (!this.token.value.trim()) {
      this.say("Type your API token first");
      this.token.focus();
    } else if (form.matches("[data-changes]")) {
      this.asked = form;
      this.sure.querySelector("[data-what]").textContent = `${form.dataset.method} ${new URL(this.address(form)).pathname}`;
      this.sure.showModal();
    } else this.send(form);
  }

  sendAsked() {
    this.sure.close();
    this.send(this.asked);
  }

  async send(form) {
    const button = form.querySelector("button");
    const started = performance.now();
    button.setAttribute("aria-disabled", "true");
    try {
      const answer = await fetch(this.address(form), this.request(form));
      this.show(form, answer, await answer.text(), performance.now() - started);
    } catch {
      this.show(form, null, "The server did not answer. Whether it took the request is not known.", 0);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  // What is sent -------------------------------------------------------------------------------------

  given(form, place) {
    return [...form.querySelectorAll(`[data-place=${place}]`)]
      .filter((field) => field.value.trim())
      .flatMap(({ dataset, value }) => {
        const values = "several" in dataset ? value.split(",") : [value];
        return values.map((one) => [dataset.of, one.trim()]);
      });
  }

  address(form) {
    const values = Object.fromEntries(this.given(form, "path"));
    const path = form.dataset.path.replace(/{(\w+)}/g, (whole, name) =>
      name in values ? values[name].split("/").map(encodeURIComponent).join("/") : whole,
    );
    const query = new URLSearchParams(this.given(form, "query")).toString();
    return `${location.origin}${path}${query && `?${query}`}`;
  }

  request(form) {
    const body = form.querySelector("[data-body]");
    return {
      method: form.dataset.method,
      headers: {
        Authorization: `Bearer ${this.token.value.trim()}`,
        ...(body && { "Content-Type": "application/json" }),
        ...Object.fromEntries(this.given(form, "header")),
      },
      body: body?.value,
      credentials: "omit", // the token alone lets it in, as it would a program
      cache: "no-store",
      redirect: "error",
    };
  }

  // What is shown ------------------------------------------------------------------------------------

  showCommand(form) {
    const curl = form?.closest("details").querySelector("[data-curl]");
    if (!curl) return;
    const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
    const { method, body } = this.request(form);
    const words = [`curl -X ${method} "${this.address(form)}"`, '-H "Authorization: Bearer $TOKEN"'];
    for (const [name, value] of this.given(form, "header")) words.push(`-H ${quote(`${name}: ${value}`)}`);
    if (body !== undefined) words.push('-H "Content-Type: application/json"', `-d ${quote(body)}`);
    curl.textContent = words.join(" \\\n  ");
  }

  show(form, answer, text, took) {
    const shown = this.querySelector("[data-answer]").content.cloneNode(true);
    const status = answer ? `${answer.status} ${answer.statusText}`.trim() : "No answer";
    shown.querySelector("[data-status]").textContent = status;
    shown.querySelector("[data-status]").classList.add("tag", answer?.ok ? "tag--ok" : "tag--danger");
    shown.querySelector("[data-took]").textContent = answer ? `${Math.round(took)} ms` : "";
    const headers = [...(answer?.headers ?? [])].map(([name, value]) => `${name}: ${value}`);
    shown.querySelector("[data-headers]").textContent = headers.join("\n");
    shown.querySelector("[data-body]").textContent = this.pretty(text);
    form.querySelector("[data-answers]").replaceChildren(shown);
    this.say(`The answer is ${status}`);
  }

  pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  say(words) {
    document.dispatchEvent(new CustomEvent("say", { detail: words }));
  }
}

customElements.define("api-try", ApiTry);
