// Says a live state once to those who hear the page: an element with data-says="sentence" is announced when its sentence
// was not on the page before; of a page that was just loaded, the first one. The region itself is permanent, in base.html.
{
  let known = new Set();

  const sentences = () => [...document.querySelectorAll("[data-says]")].map((one) => one.dataset.says).filter(Boolean);

  const announce = (some) => {
    const fresh = [...new Set(some)].filter((sentence) => !known.has(sentence));
    known = new Set(sentences());
    if (fresh.length) document.getElementById("announcer").textContent = fresh.join(" ");
  };

  document.addEventListener("htmx:after:swap", () => announce(sentences()));
  announce(sentences().slice(0, 1));
}
