// A menu behind "⋯" closes by Escape, by a press elsewhere, and when the focus leaves it. While one is open, the part of
// the page around it is not brought up to date: that would close it.
function close(menu, focuses = false) {
  menu.open = false;
  if (focuses) menu.querySelector("summary").focus();
}

addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.more[open]");
  if (menu) close(menu, menu.contains(document.activeElement));
});

for (const name of ["pointerdown", "focusin"]) {
  addEventListener(name, (event) => {
    const menu = document.querySelector("details.more[open]");
    if (menu && !menu.contains(event.target)) close(menu);
  });
}

document.addEventListener("htmx:before:request", (event) => {
  if (event.target.matches('[hx-trigger^="every"]') && event.target.querySelector("details.more[open]")) event.preventDefault();
});
// A form that opens behind its button takes the focus, so that one types at once.
addEventListener("toggle", (event) => {
  const form = event.target;
  if (form.matches("details.adding[open]") && form.contains(document.activeElement)) {
    form.querySelector(".adding-form :is(input:not([type=hidden]), select, textarea)").focus();
  }
}, true);
