/* The review by keyboard, and checks that show their progress while they run. */
(() => {
  const reason = document.getElementById("reason");
  const hint = document.getElementById("reason-keys");
  const approve = document.getElementById("approve");
  const reject = document.getElementById("reject");
  const override = document.getElementById("override");
  const panes = document.querySelector(".panes");

  const intend = reason && window.adminReason(reason, {
    say: (word) => { if (hint) hint.textContent = hint.dataset[word]; },
    leave: () => reason.blur(),
  });
  window.adminKeys({
    a: () => {
      if (!approve || approve.disabled) return;
      if (override && !override.checked) {
        override.focus();
        return;
      }
      intend(approve, "approve");
    },
    r: () => { if (reject) intend(reject, "reject"); },
    j: () => document.getElementById("to-next")?.click(),
    u: () => document.getElementById("to-queue").click(),
    d: () => {
      const diff = document.getElementById("diff");
      diff.scrollIntoView();
      const title = diff.querySelector("h2");
      title.tabIndex = -1;
      title.focus({ preventScroll: true });
    },
  });

  /* Differences of single files open below their line; without this script they are pages of their own. */
  document.getElementById("diff").addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-diff]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const row = link.closest("tr");
    if (link.getAttribute("aria-expanded")) {
      const opened = link.getAttribute("aria-expanded") === "false";
      link.setAttribute("aria-expanded", String(opened));
      row.nextElementSibling.hidden = !opened;
      return;
    }
    let part;
    try {
      part = (await window.adminFetch(`${link.href}&part=1`)).querySelector(".text-diff");
    } catch {
      window.location.assign(link.href);
      return;
    }
    const below = document.createElement("tr");
    const cell = below.insertCell();
    cell.colSpan = row.cells.length;
    cell.append(part);
    row.after(below);
    link.setAttribute("aria-expanded", "true");
  });

  const running = () => panes.querySelector("[data-running]") !== null;
  const ended = () => {
    /* Findings, licence and what may be decided follow from the checks; what was typed is never thrown away. */
    if (!reason || reason.value === "") window.location.reload();
  };
  window.adminPoll(running, async () => {
    const page = await window.adminFetch(panes.dataset.poll);
    for (const fresh of page.querySelectorAll("[data-live]")) document.getElementById(fresh.id)?.replaceWith(fresh);
    if (!running()) ended();
  });
})();
