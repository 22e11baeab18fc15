// Asks before the employee form is left while something in it is not saved: what was typed, a photo, or a capture.
// Asks below a photo about whoever stands in the field, whom Save saves; so Save need not ask.
// Keeps the focus at the buttons of the next step, and at those below a photo, while these change. When a captured face
// comes, Enter saves, unless somebody types in a field or has gone elsewhere.
const form = document.getElementById("employee-form");
const fields = ["hikvision_id", "full_name", "department", "terminal_name", "valid_from", "valid_to", "consent", "photo"];
const rendered = typed();
let sent = false;

function typed() {
  const values = new FormData(form);
  return fields.map((name) => values.get(name)?.name ?? values.get(name)).join("\n");
}

function isUnsaved() {
  const capture = document.getElementById("capture").dataset.state;
  return "unsaved" in form.dataset || ["queued", "waiting", "captured", "file"].includes(capture) || typed() !== rendered;
}

// Save, the language and, without htmx, the buttons of the capture send the form along; nothing is lost by these.
form.addEventListener("submit", () => {
  sent = true;
  for (const shown of form.querySelectorAll("[name=shown_number], [name=shown_name]")) shown.value = "";
});
addEventListener("pageshow", () => { sent = false; });
addEventListener("beforeunload", (event) => {
  if (!sent && isUnsaved()) event.preventDefault();
});

function nameInQuestion() {
  const question = document.getElementById("capture-asks");
  const name = form.elements.full_name.value.trim();
  if (!question || question.dataset.name === name) return;
  question.dataset.name = name;
  question.textContent = name && question.dataset.asks.replace("{name}", () => `\u2068${name}\u2069`);
  const sentence = question.closest("[data-done]");
  if (sentence) sentence.dataset.says = `${sentence.dataset.done} ${question.textContent}`.trim();
}
form.elements.full_name.addEventListener("input", nameInQuestion);
addEventListener("pageshow", nameInQuestion);
// Before announce.js reads the question aloud.
document.addEventListener("htmx:after:swap", nameInQuestion, { capture: true });

const captured = () => document.getElementById("capture").dataset.state === "captured";
let isShown = captured();
let atNextStep = false;
let atPhoto = "";
const nextStep = () => document.getElementById("next-step");
document.addEventListener("htmx:before:swap", () => {
  const focused = document.activeElement;
  atNextStep = nextStep().contains(focused);
  atPhoto = focused.closest("#capture, #by-file") ? focused.id : "";
});
document.addEventListener("htmx:after:swap", () => {
  const comes = captured() && !isShown;
  isShown = captured();
  const focused = document.activeElement;
  const waits = focused === document.body || focused.closest("#capture, #next-step");
  if (comes && waits) {
    document.getElementById("capture").scrollIntoView({ block: "nearest" });
    document.getElementById("save").focus({ preventScroll: true });
    return;
  }
  if (focused !== document.body) return;
  // A photo that is mended has other buttons than before, and one that was dropped has none.
  const still = atPhoto && [atPhoto, "photo-left", "photo"].map((id) => document.getElementById(id)).find(Boolean);
  const wanted = atNextStep ? nextStep() : still;
  wanted?.focus?.({ preventScroll: true });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !captured()) return;
  // A key that is held down since before the face came saves nothing: nobody has looked at it yet.
  if (event.repeat) event.preventDefault();
  else if (event.target === document.body) document.getElementById("save").click();
});
