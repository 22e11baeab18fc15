// Keeps “5 minutes ago” true while a page stays open: the minutes grow, and after an hour the time itself is said.
{
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang);

  const grow = () => {
    for (const one of document.querySelectorAll("time[data-minutes]")) {
      const minutes = ++one.dataset.minutes;
      one.textContent = minutes < 60 ? relative.format(-minutes, "minute") : one.dataset.at;
    }
    setTimeout(grow, 60000);
  };
  setTimeout(grow, 60000);
}
