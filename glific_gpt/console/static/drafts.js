// Typed text: typing counts as activity, and text that was typed before a sign-in is put back after it.
const KEY = "draft";
const FIELDS = "textarea, input[type=text], input[type=number], input[type=email], input[type=url]";
const settings = document.querySelector("meta[name=drafts]").dataset;

// A secret field is a text field while its value is shown.
const isKept = (field) => field.name && !field.matches("[data-private], [autocomplete=one-time-code]");
const fields = () => [...document.querySelectorAll("main form")]
  .flatMap((form) => [...form.querySelectorAll(FIELDS)].filter(isKept))
  .map((field) => [`${field.form.getAttribute("action")} ${field.name}`, field]);
const isTyped = ([, field]) => field.value !== field.defaultValue;

const remember = () => {
  const typed = fields().filter(isTyped).map(([name, field]) => [name, field.value]);
  if (!typed.length) return;
  const draft = { user: settings.user, path: location.pathname, typed: Object.fromEntries(typed) };
  sessionStorage.setItem(KEY, JSON.stringify(draft));
};

const restore = ({ typed }) => {
  let isRestored = false;
  for (const [name, field] of fields()) {
    if (!(name in typed)) continue;
    field.value = typed[name];
    field.dispatchEvent(new Event("input", { bubbles: true }));
    isRestored = true;
  }
  document.querySelector("#draft-restored").hidden = !isRestored;
};

const reviewDraft = () => {
  const draft = JSON.parse(sessionStorage.getItem(KEY));
  if (!draft) return;
  if (!settings.user) {
    // The sign-in page, or a page that says why the form was refused: what was typed has not been saved.
    sessionStorage.setItem(KEY, JSON.stringify({ ...draft, isLost: true }));
  } else if (!draft.isLost || draft.user !== settings.user) {
    sessionStorage.removeItem(KEY);
  } else if (draft.path === location.pathname) {
    sessionStorage.removeItem(KEY);
    restore(draft);
  }
};

let active = Date.now();
const reportActivity = () => {
  if (Date.now() - active < settings.seconds * 1000) return;
  active = Date.now();
  // Without redirects, because the answer is not needed.
  fetch(settings.url, { method: "HEAD", redirect: "manual" }).catch(() => {});
};

// A page that the browser shows again without loading it still has what was typed.
reviewDraft();
if (settings.user) {
  let isSigningOut = false;
  document.addEventListener("submit", ({ target }) => { isSigningOut = "signsOut" in target.dataset; });
  document.addEventListener("input", reportActivity);
  window.addEventListener("pagehide", () => {
    if (isSigningOut) sessionStorage.removeItem(KEY);
    else remember();
  });
}
