// Shows the buttons of class "copy". A browser lets a page write to the clipboard only over https or on this computer;
// elsewhere the text is selected, so that one key copies it.
function select(text) {
  const range = document.createRange();
  range.selectNodeContents(text);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  } catch {
    return false;
  }
}

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copies);
    select(text);
    const said = (await copied(text)) ? button.dataset.copied : button.dataset.selected;
    document.getElementById("copied").textContent = said;
    document.getElementById("announcer").textContent = said;
  });
}
