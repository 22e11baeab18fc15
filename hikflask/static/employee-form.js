// Asks before the employee form is left while something in it is not saved: what was typed, a chosen file, or a capture.
// Keeps the focus at the buttons of the next step while these change.
const form = document.getElementById("employee-form");
const fields = ["hikvision_id", "full_name", "department", "terminal_name", "consent", "photo"];
const rendered = typed();
let sent = false;

function typed() {
  const values = new FormData(form);
  return fields.map((name) => values.get(name)?.name ?? values.get(name)).join("\n");
}

function isUnsaved() {
  const capture = document.getElementById("capture").dataset.state;
  return "unsaved" in form.dataset || ["queued", "waiting", "captured"].includes(capture) || typed() !== rendered;
}

// Save, the language and, without htmx, the buttons of the capture send the form along; nothing is lost by these.
form.addEventListener("submit", () => { sent = true; });
addEventListener("pageshow", () => { sent = false; });
addEventListener("beforeunload", (event) => {
  if (!sent && isUnsaved()) event.preventDefault();
});

let atNextStep = false;
const nextStep = () => document.getElementById("next-step");
document.addEventListener("htmx:before:swap", () => { atNextStep = nextStep().contains(document.activeElement); });
document.addEventListener("htmx:after:swap", () => {
  if (atNextStep && document.activeElement === document.body) nextStep().focus({ preventScroll: true });
});
