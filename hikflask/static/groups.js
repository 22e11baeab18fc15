// Enter in the search of a group's form finds; it does not save the group.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.id !== "find") return;
  event.preventDefault();
  document.getElementById("find-button").click();
});
