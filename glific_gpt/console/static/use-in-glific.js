// What is too large is said before it is sent; an answer that did not come is told where it would have stood.
const file = document.querySelector("[data-most]");
const check = () => {
  const chosen = file.files[0];
  file.setCustomValidity(chosen && chosen.size > Number(file.dataset.most) ? file.dataset.tooLarge : "");
  file.reportValidity();
};
file.addEventListener("change", check);

// What was said of another file or another place, or by an earlier check, is taken away.
const place = (event) => event.detail.target.closest("[data-failed]");
file.form.addEventListener("change", () => document.querySelector("#conversion").replaceChildren());
document.addEventListener("htmx:beforeRequest", (event) => place(event)?.replaceChildren());
const failed = (event) => {
  const where = place(event);
  if (where) where.textContent = where.dataset.failed;
};
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
