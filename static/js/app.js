// What every page needs from htmx: a way back to sign-in, and an honest toast when an answer never came.

const LOST = "Not saved: the connection was lost. Nothing was changed.";
const SLOW = "No answer yet: the connection is slow. Look before you try again, it may have been saved.";
const OURS = "Not saved: something went wrong on our side. Nothing was changed.";
const BUSY = "Not saved: too many tries in a short time. Wait a minute, then try again.";

// The person tries the very same request again; a form is sent as it now stands, with the button that sent it.
function again(detail) {
  const { verb, path, parameters, triggeringEvent } = detail.requestConfig;
  const form = detail.elt.closest("form");
  if (form && document.contains(form) && form === detail.elt) {
    // htmx knows the button of a form by its click, so the button is clicked.
    const button = triggeringEvent?.submitter;
    return button && document.contains(button) ? button.click() : form.requestSubmit();
  }
  const source = document.contains(detail.elt) ? detail.elt : document.body;
  window.htmx.ajax(verb.toUpperCase(), path, { source, target: detail.target, values: parameters });
}

function lost(detail, text) {
  const toast = document.getElementById("toast-lost")?.content.firstElementChild?.cloneNode(true);
  const toasts = document.getElementById("toasts");
  if (!toast || !toasts) return;
  // A list that loads on scroll was read, not saved: say so.
  const reading = detail.requestConfig?.verb === "get";
  toast.querySelector(".toast__text").textContent = reading ? text.replace(/^Not saved/, "Not loaded").replace(" Nothing was changed.", "") : text;
  const button = toast.querySelector("[data-again]");
  button.addEventListener("click", () => {
    toast.remove();
    again(detail);
  });
  for (const old of toasts.querySelectorAll("toast-note[data-lost]")) old.remove();
  toast.dataset.lost = "";
  toasts.append(toast);
}

document.addEventListener("htmx:sendError", (event) => lost(event.detail, LOST));
document.addEventListener("htmx:timeout", (event) => lost(event.detail, SLOW));

// A whole page must never land inside a piece of one.
const isPage = (text) => /^\s*<!doctype html/i.test(text);

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, boosted } = event.detail;
  if (boosted || !isPage(xhr.responseText)) return;
  const target = event.detail.target;
  if (target === document.body || target?.id === "main" || event.detail.requestConfig?.elt?.hasAttribute("hx-select")) return;
  if (xhr.status < 400 && xhr.responseURL) {
    // The server sent us on to another page (signing in, most likely): go there.
    event.detail.shouldSwap = false;
    window.location.assign(xhr.responseURL);
  } else if (xhr.status >= 400 && xhr.status < 500) {
    event.detail.shouldSwap = false;
    lost(event.detail, xhr.status === 429 ? BUSY : "Not saved: the page is out of date. Reload it and try again.");
  }
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status >= 500 || event.detail.xhr.status === 0) lost(event.detail, OURS);
});

// After a refused form: go to what is wrong.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.xhr?.status !== 422) return;
  const wrong = event.target.querySelector?.('[aria-invalid="true"]') ?? event.target.querySelector?.("[data-errors]");
  if (wrong && !event.target.contains(document.activeElement)) wrong.focus();
});

// A page from the back button may be old: a board that changed meanwhile is fetched anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.body.dataset.fresh !== undefined) window.location.reload();
});

// "/" goes to the page's search, unless something is being written.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector('main input[type="search"]');
  if (!search || search.offsetParent === null) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// A form sent without htmx twice in a row (a double click) is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent !== undefined) return event.preventDefault();
  form.dataset.sent = "";
  window.addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
});

// Where a new request takes the place of the last, the same button waits for its answer: the server has the first already.
let underWay = new WeakMap();
document.addEventListener("htmx:confirm", (event) => {
  const { elt, triggeringEvent } = event.detail;
  const button = triggeringEvent?.submitter;
  if (button && button === underWay.get(elt) && elt.getAttribute("hx-sync")?.endsWith(":replace")) event.preventDefault();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  underWay.set(event.detail.elt, event.detail.requestConfig.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.xhr.getResponseHeader("HX-Redirect")) underWay.delete(event.detail.elt);
});
window.addEventListener("pageshow", () => (underWay = new WeakMap()));
