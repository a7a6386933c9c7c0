/* Copy buttons: <button data-copy="text">. What happened is shown on the button and said to screen readers. */
(() => {
  const byHand = (text) => {
    /* Without HTTPS browsers withhold navigator.clipboard. */
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("copying is not allowed");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const said = document.getElementById("said");
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy);
      else byHand(button.dataset.copy);
      button.classList.add("copied");
      said.textContent = said.dataset.copied;
    } catch {
      said.textContent = said.dataset.failed;
    }
    button.focus();
    window.setTimeout(() => { button.classList.remove("copied"); said.textContent = ""; }, 2000);
  });
})();
