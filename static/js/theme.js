/* Loaded before the page is drawn, so that a remembered theme never flashes. */
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const show = () => {
    const theme = remembered();
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    root.dataset.shown = root.dataset.theme || (dark.matches ? "dark" : "light");
  };
  root.classList.add("js");
  show();
  dark.addEventListener("change", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-switch]");
    if (!button) return;
    const next = root.dataset.shown === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", next); } catch { /* private window: the choice lasts for this page */ }
    root.dataset.theme = root.dataset.shown = next;
  });
})();
