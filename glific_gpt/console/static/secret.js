// Button that shows or hides the value of a secret field.
const toggler = (button) => {
  const field = document.querySelector(button.dataset.secret);
  const label = button.querySelector("span");
  const words = { show: label.textContent, hide: label.dataset.shown };
  return (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    label.textContent = shown ? words.hide : words.show;
  };
};

for (const button of document.querySelectorAll("[data-secret]")) {
  const show = toggler(button);
  button.hidden = false;
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
  // Browsers remember values of plain text fields, so make it a password field again before it is sent.
  button.closest("form").addEventListener("submit", () => show(false));
}
