/* What goes on by itself, checks that run or regions that catch up, is fetched again and shown in place. */
(() => {
  const live = document.querySelector("[data-refresh]");
  if (!live) return;
  const refresh = async () => {
    if (document.hidden || live.contains(document.activeElement)) return wait();
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
