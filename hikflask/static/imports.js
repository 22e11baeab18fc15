// A file that is too large is told before it is uploaded, and while files are uploaded the page says so.
const form = document.getElementById("typed-form");
const uploading = document.getElementById("uploading");
const MEGABYTE = 1024 * 1024;

function refuse(input) {
  const id = `${input.id}-error`;
  document.getElementById(id)?.remove();
  const error = document.createElement("p");
  error.className = "field-error";
  error.id = id;
  error.textContent = input.dataset.tooLarge;
  input.after(error);
  input.classList.add("is-invalid");
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${id} ${input.id}-hint`);
  document.getElementById("announcer").textContent = input.dataset.tooLarge;
}

function isTooLarge(input) {
  return [...input.files].some((file) => file.size > input.dataset.most * MEGABYTE);
}

const inputs = [...form.querySelectorAll("input[data-most]")];

form.addEventListener("change", (event) => {
  if (inputs.includes(event.target) && isTooLarge(event.target)) refuse(event.target);
});

form.addEventListener("submit", (event) => {
  const wrong = inputs.filter(isTooLarge);
  if (wrong.length) {
    event.preventDefault();
    wrong.forEach(refuse);
    wrong[0].focus();
  } else if (event.submitter?.classList.contains("btn-save")) {
    uploading.hidden = false;
  }
});

// A page that Back brings back uploads nothing.
window.addEventListener("pageshow", () => {
  uploading.hidden = true;
});
