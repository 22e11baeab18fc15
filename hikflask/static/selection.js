// Selecting on the list: what can be done is shown once somebody is selected, with how many.
const BOXES = "#selection [type=checkbox]:not(#select-page, #select-all)";

function count() {
  const actions = document.getElementById("actions");
  if (!actions) return;
  const boxes = [...document.querySelectorAll(BOXES)];
  const page = document.getElementById("select-page");
  const all = document.getElementById("select-all")?.checked;
  const picked = boxes.filter((box) => box.checked).length;
  page.hidden = false;
  page.checked = picked === boxes.length;
  page.indeterminate = picked > 0 && picked < boxes.length;
  // Where choosing is what the page is for, it says what to do first.
  const none = document.getElementById("selected").dataset.none ?? "";
  actions.hidden = !picked && !none;
  const selected = document.getElementById("selected");
  const text = picked || all ? selected.dataset.text.replace("{n}", all ? selected.dataset.total : picked) : none;
  if (text === selected.textContent) return;
  selected.textContent = text;
  document.getElementById("announcer").textContent = text;
}

document.addEventListener("change", (event) => {
  const all = document.getElementById("select-all");
  const boxes = document.querySelectorAll(BOXES);
  if (event.target.id === "select-page" || (event.target === all && all.checked)) {
    for (const box of boxes) box.checked = event.target.checked;
  }
  // Whoever is taken out again is not among all.
  if (all && event.target !== all) all.checked = false;
  count();
});

document.addEventListener("htmx:after:swap", count);
// A page that Back brings back has its boxes as they were left.
window.addEventListener("pageshow", count);
count();

// Escape puts away the words of a state, until pointer or focus move on.
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.getElementById("rows")?.setAttribute("data-quiet", "");
});
for (const name of ["pointerover", "focusin"]) {
  addEventListener(name, () => document.getElementById("rows")?.removeAttribute("data-quiet"));
}
