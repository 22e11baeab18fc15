// Says a live state once to those who hear the page: an element with data-says="sentence" is announced when its sentence
// was not on the page before; of a page that was just loaded, the first one. The region itself is permanent, in base.html.
let known = new Set();

function said() {
  return [...document.querySelectorAll("[data-says]")].map((one) => one.dataset.says).filter(Boolean);
}

function announce(sentences) {
  const fresh = [...new Set(sentences)].filter((sentence) => !known.has(sentence));
  known = new Set(said());
  if (fresh.length) document.getElementById("announcer").textContent = fresh.join(" ");
}

document.addEventListener("htmx:after:swap", () => announce(said()));
announce(said().slice(0, 1));
