// Model search, and ticks that are written into the list of patterns.
const list = document.querySelector("#patterns");
const search = document.querySelector("#find-model");

const filterModels = () => {
  const query = search.value.trim().toLowerCase();
  const rows = [...document.querySelectorAll("[data-model]")];
  for (const row of rows) row.hidden = !row.dataset.model.includes(query);
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-model]:not([hidden])");
  }
  document.querySelector("#none-found").hidden = rows.some((row) => !row.hidden);
};

const lines = () => list.value.split("\n").map((line) => line.trim()).filter(Boolean);
const ticked = () => [...document.querySelectorAll("[data-tick]:checked")].map((box) => box.dataset.tick);
const scope = () => document.querySelector("[name=scope]:checked")?.value;

const withModel = (id, isOn) => {
  const others = lines().filter((line) => line.toLowerCase() !== id.toLowerCase());
  return isOn ? [...others, id] : others;
};

// A tick under "all" or "none" starts a new list from all models that are ticked.
const tick = (box) => {
  const patterns = scope() === "only" ? withModel(box.dataset.tick, box.checked) : ticked();
  list.value = patterns.join("\n");
  document.querySelector("#scope-only").checked = true;
  list.dispatchEvent(new Event("input", { bubbles: true }));
};

search.addEventListener("input", filterModels);
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick]")) tick(event.target);
});
document.addEventListener("htmx:oobAfterSwap", filterModels);
