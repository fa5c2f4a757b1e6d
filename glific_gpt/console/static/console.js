// What every page can do: copy, ask before a step that cannot be taken back, show that it works, show local time.
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

const ask = (form, submitter) => {
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

// A form that needs to be asked about only in some cases says so by data-confirm-unless (a checkbox that is then on).
const needsAsking = (form) => {
  if (!form.dataset.confirm || form.dataset.confirmed) return false;
  const unless = form.dataset.confirmUnless && form.querySelector(form.dataset.confirmUnless);
  return !(unless && unless.checked);
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  if (needsAsking(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(form, event.submitter);
    return;
  }
  delete form.dataset.confirmed;
  if (event.submitter?.dataset.busy) busy(event.submitter);
}, true);

const busy = (button) => {
  button.setAttribute("aria-busy", "true");
  button.classList.add("btn-loading");
  // Disabled only after the form has been sent, or the button's own value would be left out.
  setTimeout(() => { button.disabled = true; }, 0);
  // A file leaves the page as it is, and says nothing when it has come.
  if ("downloads" in button.dataset) setTimeout(() => free(button), 2500);
};
const free = (button) => {
  button.disabled = false;
  button.removeAttribute("aria-busy");
  button.classList.remove("btn-loading");
};
window.addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach(free));

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
