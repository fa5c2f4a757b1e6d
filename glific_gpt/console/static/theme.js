// Light or dark theme: the user's choice, else the system's. Runs before the page is drawn, to avoid a flash.
(() => {
  // Without scripts, the menu of a phone cannot be opened, so it is always open then.
  document.documentElement.classList.add("has-scripts");
  const KEY = "theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const show = () => {
    document.documentElement.dataset.bsTheme = chosen() ?? (system.matches ? "dark" : "light");
    document.dispatchEvent(new Event("theme"));
  };
  show();
  system.addEventListener("change", show);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const other = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try { localStorage.setItem(KEY, other); } catch { /* no storage: the choice lasts for this page only */ }
    document.documentElement.dataset.bsTheme = other;
    document.dispatchEvent(new Event("theme"));
  });
})();
