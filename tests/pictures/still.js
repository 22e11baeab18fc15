// Returns the page as it is now, without what runs in it, what nobody sees, and what differs from one run to the next.
({ ago, at, seconds, today, day }) => {
  const page = document.documentElement;
  const still = page.cloneNode(true);
  const all = (selector) => [...still.querySelectorAll(selector)];
  // What was typed or ticked is in no attribute.
  const typed = "input, textarea";
  const copies = all(typed);
  page.querySelectorAll(typed).forEach((field, index) => {
    copies[index].setAttribute("value", field.value);
    copies[index].toggleAttribute("checked", field.checked === true);
  });
  all("script, noscript, meta[http-equiv], .visually-hidden, .skip").forEach((one) => one.remove());
  all("[autofocus]").forEach((one) => one.removeAttribute("autofocus"));
  const address = (text) => text.replace(/127\.0\.0\.1(:\d+)?/g, "192.168.1.67");
  all("input").forEach((field) => field.setAttribute("value", address(field.getAttribute("value"))));
  // The browser itself speaks English, whatever the page does.
  all("input[type=date], input[type=datetime-local]").forEach((field) => {
    const value = field.getAttribute("value");
    const time = field.type === "date" ? {} : { timeStyle: "short" };
    const language = page.lang === "en" ? "en-GB" : page.lang;
    if (value) field.setAttribute("value", new Date(value).toLocaleString(language, { dateStyle: "short", ...time }));
    field.type = "text";
  });
  all("time").forEach((one) => {
    if (one.dateTime < "2026") return; // It is part of what is shown.
    one.textContent = one.dataset.minutes ? ago : /^\d/.test(one.textContent) ? "09:41" : at;
  });
  all("#capture-seconds").forEach((one) => (one.textContent = seconds));
  all(".capture-ring-left").forEach((one) => one.setAttribute("stroke-dasharray", "60 100"));
  all("#terminal-day").forEach((one) => (one.textContent = one.textContent.replace(/\d\d:\d\d/g, "09:41")));
  all(".strip text").forEach((one) => one.remove());
  const texts = document.createTreeWalker(still, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = address(texts.currentNode.data).replaceAll(today, day);
  }
  return `<!doctype html>${still.outerHTML}`;
};
