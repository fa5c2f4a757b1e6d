// Finds models while one types, and writes ticks into the list of patterns.
const list = document.querySelector("#patterns");
const search = document.querySelector("#find-model");

const find = () => {
  const wanted = search.value.trim().toLowerCase();
  const rows = [...document.querySelectorAll("[data-model]")];
  for (const row of rows) row.hidden = !row.dataset.model.includes(wanted);
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-model]:not([hidden])");
  }
  document.querySelector("#none-found").hidden = rows.some((row) => !row.hidden);
};

const lines = () => list.value.split("\n").map((line) => line.trim()).filter(Boolean);
const ticked = () => [...document.querySelectorAll("[data-tick]:checked")].map((box) => box.dataset.tick);
const chosen = () => document.querySelector("[name=scope]:checked")?.value;

const writeDown = (id, isOn) => {
  const others = lines().filter((line) => line.toLowerCase() !== id.toLowerCase());
  return isOn ? [...others, id] : others;
};

// A tick under "all" or "none" begins a list of its own, from what was ticked before.
const tick = (box) => {
  const patterns = chosen() === "only" ? writeDown(box.dataset.tick, box.checked) : ticked();
  list.value = patterns.join("\n");
  document.querySelector("#scope-only").checked = true;
  list.dispatchEvent(new Event("input", { bubbles: true }));
};

search.addEventListener("input", find);
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick]")) tick(event.target);
});
document.addEventListener("htmx:oobAfterSwap", find);
