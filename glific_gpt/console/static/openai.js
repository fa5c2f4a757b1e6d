// Result of a key test: cleared during a new test, and replaced by an error text if the request fails.
const result = document.querySelector("#test-result");
const failed = () => { result.textContent = result.dataset.failed; };

document.addEventListener("htmx:beforeRequest", () => result.replaceChildren());
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
