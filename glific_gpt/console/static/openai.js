// The answer to a test: an old one is taken away while OpenAI is asked, and one that did not come is told.
const said = document.querySelector("#said");
const failed = () => { said.textContent = said.dataset.failed; };

document.addEventListener("htmx:beforeRequest", () => said.replaceChildren());
document.addEventListener("htmx:responseError", failed);
document.addEventListener("htmx:sendError", failed);
