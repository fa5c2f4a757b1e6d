// Updates of the call list: paused while the tab is hidden, announced to screen readers.
const list = () => document.querySelector("#calls");
const rows = (root) => [...root.querySelectorAll("[data-call]")];
const versions = (root) => rows(root).map((row) => `${row.dataset.call} ${row.dataset.version}`).join("\n");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target === list() && document.hidden) event.preventDefault();
});

const announce = (count) => {
  const news = document.querySelector("#news");
  news.textContent = count ? `${news.dataset.text} ${count}` : "";
};

// Swap only if something changed, so that focus and selected text are kept.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target !== list() || !event.detail.shouldSwap) return;
  const fresh = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  if (versions(fresh) === versions(list())) {
    event.detail.shouldSwap = false;
    return;
  }
  const known = new Set(rows(list()).map((row) => row.dataset.call));
  announce(rows(fresh).filter((row) => !known.has(row.dataset.call)).length);
});
