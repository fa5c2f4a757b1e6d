// Features of all pages: the menu of small screens, copy buttons, confirmation dialogs, busy buttons and local times.
const copy = async (button) => {
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  button.classList.add("btn-success");
  setTimeout(() => {
    label.textContent = before;
    button.classList.remove("btn-success");
  }, 1500);
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("click", ({ target }) => {
  target.closest("[data-closes]")?.closest(target.closest("[data-closes]").dataset.closes).remove();
  const toggler = target.closest("[data-toggles]");
  if (!toggler) return;
  const isOpen = document.querySelector(toggler.dataset.toggles).classList.toggle("show");
  toggler.setAttribute("aria-expanded", String(isOpen));
});

const confirmSubmit = (form, submitter) => {
  const dialog = document.querySelector("#confirm");
  dialog.querySelector("#confirm-text").textContent = form.dataset.confirm;
  const yes = dialog.querySelector("[data-confirm-yes]");
  if (form.dataset.yes) yes.textContent = form.dataset.yes;
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  }, { once: true });
  dialog.returnValue = "no";
  dialog.showModal();
};

// data-confirm-unless names a checkbox. No confirmation is needed while it is checked.
const needsConfirmation = (form) => {
  if (!form.dataset.confirm || form.dataset.confirmed) return false;
  const unless = form.dataset.confirmUnless && form.querySelector(form.dataset.confirmUnless);
  return !(unless && unless.checked);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  if (needsConfirmation(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    confirmSubmit(form, event.submitter);
    return;
  }
  delete form.dataset.confirmed;
  if (event.submitter?.dataset.busy) setBusy(event.submitter);
}, true);

const setBusy = (button) => {
  button.setAttribute("aria-busy", "true");
  button.classList.add("btn-loading");
  // Disable the button after the form was sent: browsers leave out the value of a disabled button.
  setTimeout(() => { button.disabled = true; }, 0);
  // A download does not load a page, so no event tells when it has finished.
  if ("downloads" in button.dataset) setTimeout(() => clearBusy(button), 2500);
};
const clearBusy = (button) => {
  button.disabled = false;
  button.removeAttribute("aria-busy");
  button.classList.remove("btn-loading");
};
window.addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach(clearBusy));

const FORMAT = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
const showLocalTimes = (root) => {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.title = time.textContent;
    time.textContent = FORMAT.format(new Date(time.dateTime));
    time.removeAttribute("data-local");
  }
};
showLocalTimes(document);
document.addEventListener("htmx:load", (event) => showLocalTimes(event.target.parentElement ?? document));
