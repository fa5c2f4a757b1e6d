// The list of calls updates itself, but not while nobody looks, and says in a few words when calls have come in.
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

// What has not changed stays as it is, so that nothing that somebody reads or has marked moves under their eyes.
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
