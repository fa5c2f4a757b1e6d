// Shows the keyword as Glific stores it: small letters without spaces and signs.
const keyword = document.querySelector("#keyword");
keyword?.addEventListener("change", () => {
  keyword.value = keyword.value.replace(/[\p{P}\p{S}\p{Z}\p{C}]/gu, "").toLowerCase() || keyword.value;
});

// Checks the file size before an upload, and shows an error where a response failed.
const file = document.querySelector("[data-max-bytes]");
file?.addEventListener("change", () => {
  const chosen = file.files[0];
  file.setCustomValidity(chosen && chosen.size > Number(file.dataset.maxBytes) ? file.dataset.tooLarge : "");
  file.reportValidity();
});

// Clear old results when the form changes or a new request starts.
const resultArea = (event) => event.detail.target.closest("[data-failed]");
file?.form.addEventListener("change", () => document.querySelector("#conversion").replaceChildren());
document.addEventListener("htmx:beforeRequest", (event) => resultArea(event)?.replaceChildren());
const failed = (event) => {
  const area = resultArea(event);
  if (area) area.textContent = area.dataset.failed;
};
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
