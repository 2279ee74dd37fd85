"use strict";
// A button copies the text of the element that it names; a page from disk may be refused the clipboard, then it selects.
document.querySelectorAll("[data-copy]").forEach((button) => {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    const told = document.getElementById(`${button.dataset.copy}-copied`);
    try {
      await navigator.clipboard.writeText(source.textContent);
      told.textContent = "Copied.";
    } catch {
      window.getSelection().selectAllChildren(source);
      told.textContent = "Selected: press Ctrl-C to copy.";
    }
  });
});
