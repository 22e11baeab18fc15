// Says a live state once to those who hear the page: an element with data-says="sentence" is announced when its sentence
// was not on the page before. The region itself is permanent, in base.html; no part of a page needs one of its own.
let known = new Set();

function announce() {
  const said = [...document.querySelectorAll("[data-says]")].map((one) => one.dataset.says).filter(Boolean);
  const fresh = new Set(said.filter((sentence) => !known.has(sentence)));
  known = new Set(said);
  if (fresh.size) document.getElementById("announcer").textContent = [...fresh].join(" ");
}

document.addEventListener("htmx:after:swap", announce);
announce();
