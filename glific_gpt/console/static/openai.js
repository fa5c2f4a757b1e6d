// Result of a key test: cleared during a new test, and replaced by an error text if the request fails.
const result = document.querySelector("#test-result");
const failed = () => { result.textContent = result.dataset.failed; };

document.addEventListener("htmx:beforeRequest", () => result.replaceChildren());
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);

// The button that saves the typed key with the address that OpenAI has named: select it before the form is sent.
result.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-address]");
  if (button) document.querySelector("#address").value = button.dataset.address;
});
