// The monthly report: prints, and opens a month when it is chosen.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
for (const form of document.querySelectorAll("[data-month]")) {
  form.classList.add("submits-itself");
  form.elements.month.addEventListener("change", () => form.requestSubmit());
}
