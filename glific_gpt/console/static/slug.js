// Suggests a short name from the name, until the user edits it.
const name = document.querySelector("#name");
const slug = document.querySelector("#slug");
const suggested = (text) =>
  text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 63).replace(/^-+|-+$/g, "");

let untouched = slug.value === "" || slug.value === suggested(name.value);
name.addEventListener("input", () => { if (untouched) slug.value = suggested(name.value); });
slug.addEventListener("input", () => { untouched = slug.value === ""; });
