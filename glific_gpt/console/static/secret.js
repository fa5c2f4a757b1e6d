// Shows what is typed into a secret field, for as long as its button is pressed in.
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
  // A browser keeps what is typed into a plain field, so it is a secret one again when it is sent.
  button.closest("form").addEventListener("submit", () => show(false));
}
