/* While checks run, the version's page fetches itself and shows the steps that are done. */
(() => {
  const live = document.querySelector("[data-refresh]");
  if (!live) return;
  const refresh = async () => {
    if (document.hidden) return wait();
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("#live");
      if (!fresh) return;
      if (!fresh.dataset.refresh) return location.reload();
      live.replaceChildren(...fresh.childNodes);
      const checks = page.querySelector(".checks");
      if (checks) document.querySelector(".checks")?.replaceWith(checks);
    } catch { /* the next try may reach the server */ }
    wait();
  };
  const wait = () => window.setTimeout(refresh, Number(live.dataset.refresh));
  wait();
})();
