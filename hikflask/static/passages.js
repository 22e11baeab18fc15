// What one points at does not move: while the pointer is over a row, new passages wait.
document.addEventListener("htmx:before:swap", (event) => {
  const hovers = matchMedia("(hover: hover)").matches && event.target.id === "rows" && event.target.querySelector(".passage:hover");
  if (hovers) event.preventDefault();
});
