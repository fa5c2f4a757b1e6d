// Checks the size of a document before its upload, and shows the progress of the upload.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches("[data-max-bytes]")) return;
  const chosen = input.files[0];
  input.setCustomValidity(chosen && chosen.size > Number(input.dataset.maxBytes) ? input.dataset.tooLarge : "");
  input.reportValidity();
});

const progress = () => document.querySelector("#upload-progress");
document.addEventListener("htmx:xhr:progress", (event) => {
  const bar = progress();
  if (!bar || !event.target.closest("#upload") || !event.detail.lengthComputable) return;
  bar.hidden = false;
  bar.value = event.detail.loaded / event.detail.total;
});

const failed = (event) => {
  const bar = progress();
  if (bar) bar.hidden = true;
  if (event.target.closest("#upload")) alertFailure();
};
const alertFailure = () => {
  const area = document.querySelector("#documents > [aria-live]");
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  box.setAttribute("role", "alert");
  box.textContent = document.querySelector("#documents").dataset.failed;
  area.replaceChildren(box);
};
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
