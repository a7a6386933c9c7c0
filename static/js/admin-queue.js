/* The queue by keyboard: j and k move, x ticks, a and r decide. Without this script links, boxes and buttons do. */
(() => {
  const filters = document.querySelector(".filters");
  filters?.addEventListener("change", (event) => {
    if (event.target.matches("select")) filters.requestSubmit();
  });

  const table = document.getElementById("queue");
  const bulk = document.getElementById("bulk");
  const search = filters?.querySelector("input[type=search]");
  if (!table) {
    window.adminKeys({ "/": () => search?.focus() });
    return;
  }
  const rows = [...table.querySelectorAll("[data-row]")];
  const box = (row) => row.querySelector("input[type=checkbox]");
  const all = table.querySelector("[data-all]");
  const what = document.getElementById("decide-what");
  const reason = bulk.querySelector("textarea");
  const buttons = Object.fromEntries([...bulk.querySelectorAll("[data-decision]")].map((one) => [one.value, one]));
  let current = -1;
  let tickedForOne = null;

  const ticked = () => rows.filter((row) => box(row).checked);
  const show = () => {
    const number = ticked().length;
    for (const row of rows) row.classList.toggle("ticked", box(row).checked);
    all.checked = number === rows.length;
    all.indeterminate = number > 0 && number < rows.length;
    if (!what) return;
    const { none, one, many } = what.dataset;
    what.textContent = number === 0 ? none : number === 1 ? one : many.replace("%n", number);
    what.closest(".decide-bar").classList.toggle("ready", number > 0);
  };
  const go = (index) => {
    if (!rows.length) return;
    current = Math.max(0, Math.min(rows.length - 1, index));
    rows.forEach((row, position) => row.classList.toggle("current", position === current));
    rows[current].querySelector("[data-open]").focus();
  };
  const back = () => {
    if (tickedForOne) box(tickedForOne).checked = false;
    tickedForOne = null;
    show();
    go(current < 0 ? 0 : current);
  };
  const intend = reason && window.adminReason(reason, {
    say: (word) => { bulk.dataset.intent = word; },
    leave: back,
  });
  const decide = (verb) => {
    if (!intend) return;
    if (!ticked().length) {
      if (current < 0) go(0);
      tickedForOne = rows[current];
      box(tickedForOne).checked = true;
      show();
    }
    intend(buttons[verb], verb);
  };

  table.addEventListener("change", (event) => {
    if (event.target === all) for (const row of rows) box(row).checked = all.checked;
    tickedForOne = null;
    show();
  });
  table.addEventListener("focusin", (event) => {
    const index = rows.indexOf(event.target.closest("[data-row]"));
    if (index >= 0 && index !== current) {
      current = index;
      rows.forEach((row, position) => row.classList.toggle("current", position === index));
    }
  });
  window.adminKeys({
    j: () => go(current + 1),
    k: () => go(current < 0 ? 0 : current - 1),
    x: () => {
      if (current < 0) go(0);
      box(rows[current]).checked = !box(rows[current]).checked;
      tickedForOne = null;
      show();
    },
    a: () => decide("approve"),
    r: () => decide("reject"),
    "/": () => search?.focus(),
  });
  show();

  const running = () => [...table.querySelectorAll("[data-running]")].map((one) => one.dataset.running);
  window.adminPoll(() => running().length > 0, async () => {
    const page = await window.adminFetch(`${table.dataset.poll}&ids=${running().join(",")}`);
    for (const fresh of page.querySelectorAll("[id^=progress-]")) document.getElementById(fresh.id)?.replaceWith(fresh);
  });
})();
