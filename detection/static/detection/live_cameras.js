// Renews the living cells of the camera list. Where the server falls silent the list says so: old
// values that look new are the very failure this page exists to show.
(() => {
  "use strict";
  const PERIOD_MS = 5000;
  const start = () => {
    const status = document.getElementById("live-status");
    const cells = [...document.querySelectorAll("[data-live]")];
    if (!status || cells.length === 0) return;
    const ids = [...new Set(cells.map((cell) => cell.dataset.live.split(":")[0]))];
    const address = `${status.dataset.url}?ids=${ids.join(",")}`;
    let last = status.dataset.loading;

    const renew = async () => {
      if (document.hidden) return;
      try {
        const answer = await fetch(address, { redirect: "error", signal: AbortSignal.timeout(PERIOD_MS) });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        const { at, cells: fresh } = await answer.json();
        for (const cell of cells) {
          const html = fresh[cell.dataset.live]; // escaped by the server, as in the page itself
          if (html !== undefined && html !== cell.innerHTML) cell.innerHTML = html;
        }
        last = at;
        status.textContent = status.dataset.fresh.replace("%s", at);
        document.body.classList.remove("co-outdated");
      } catch {
        status.textContent = status.dataset.stale.replace("%s", last);
        document.body.classList.add("co-outdated");
      }
    };

    setInterval(renew, PERIOD_MS);
    document.addEventListener("visibilitychange", renew);
    renew();
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
