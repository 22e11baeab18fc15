// Hides the error of a field as soon as something else is typed there.
document.addEventListener("input", (event) => {
  const error = document.getElementById(`${event.target.id}-error`);
  if (!error) return;
  error.remove();
  event.target.classList.remove("is-invalid");
  event.target.removeAttribute("aria-invalid");
  event.target.removeAttribute("aria-describedby");
});
