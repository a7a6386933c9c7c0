/* The list: choosing an order sorts at once; filters fold away on narrow screens. Without scripts a button does it. */
(() => {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  });
  const fold = document.querySelector(".facets__fold");
  if (fold && window.matchMedia("(max-width: 60rem)").matches) fold.open = false;
})();
