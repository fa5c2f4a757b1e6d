// Suggests the time zone of the browser: selected in the form of a new organization, offered by a button in settings.
const NEW_NAMES = { "Asia/Calcutta": "Asia/Kolkata", "Asia/Katmandu": "Asia/Kathmandu" };
const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
const zone = NEW_NAMES[browserZone] ?? browserZone;
const hasZone = (select) => [...select.options].some((option) => option.value === zone);

for (const { dataset } of document.querySelectorAll("[data-select-zone]")) {
  const select = document.querySelector(dataset.selectZone);
  if (hasZone(select)) select.value = zone;
}

for (const button of document.querySelectorAll("[data-offer-zone]")) {
  const select = document.querySelector(button.dataset.offerZone);
  const label = button.querySelector("[data-text]");
  label.textContent = label.dataset.text.replace("ZONE", zone);
  button.hidden = !hasZone(select);
  button.addEventListener("click", () => {
    select.value = zone;
    select.focus();
  });
}
