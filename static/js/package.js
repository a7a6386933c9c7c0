/* The install line remembers which client the reader uses. */
(() => {
  const radios = [...document.querySelectorAll(".install input[type=radio]")];
  const recall = () => { try { return localStorage.getItem("client"); } catch { return null; } };
  const usual = radios.find((radio) => radio.value === recall());
  if (usual) usual.checked = true;
  radios.forEach((radio) => radio.addEventListener("change", () => {
    try { localStorage.setItem("client", radio.value); } catch { /* not remembered */ }
  }));
})();
