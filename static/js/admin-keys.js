/* One-letter keys: `keys({a: fn})`. Silent while somebody types, with a modifier, or while the help is open. */
(() => {
  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const help = () => document.getElementById("keys");

  window.adminKeys = (table) => {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (typing(event.target) || help()?.open) return;
      const act = event.key === "?" ? () => help()?.showModal() : table[event.key];
      if (!act) return;
      event.preventDefault();
      act(event);
    });
  };

  /* A reason that is being typed for one decision: Enter carries it out, Escape leaves it. */
  window.adminReason = (field, { say, leave }) => {
    let button = null;
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        button = null;
        say("idle");
        leave();
      } else if (event.key === "Enter" && !event.shiftKey && button && !event.isComposing) {
        event.preventDefault();
        field.form.requestSubmit(button);
      }
    });
    return (chosen, word) => {
      button = chosen;
      say(word);
      field.focus();
    };
  };

  /* Checks that still run are asked for every two seconds, more rarely while the page is hidden or a request fails. */
  window.adminPoll = (isRunning, ask) => {
    let pause = 2000;
    const turn = async () => {
      if (!isRunning()) return;
      if (!document.hidden) {
        try {
          await ask();
          pause = 2000;
        } catch {
          pause = Math.min(pause * 2, 60000);
        }
      }
      window.setTimeout(turn, pause);
    };
    window.setTimeout(turn, pause);
  };

  window.adminFetch = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
})();
