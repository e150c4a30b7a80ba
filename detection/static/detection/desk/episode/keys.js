// Every key of the page stands on the button that it presses: `data-key="j ArrowRight"`.

const NAMES = { " ": "Space" };

const isTyping = (target) =>
  target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");

const isVisible = (element) => !element.disabled && element.getClientRects().length > 0;

/** Escape closes what was opened last to decide or to write, and gives the focus back. */
function close() {
  const opened = [...document.querySelectorAll(".ep-bar details[open]")].at(-1);
  opened?.removeAttribute("open");
  opened?.querySelector("summary").focus();
}

/** Arrows go the way they point, also where one reads from the right. */
function mirrored(key) {
  if (document.dir !== "rtl") return key;
  return { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" }[key] ?? key;
}

export function wireKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key === " ") return;
    if (event.key === "Escape" && !event.target.closest?.("dialog")) return close();
    if (event.defaultPrevented || isTyping(event.target)) return;
    const wanted = NAMES[event.key] ?? mirrored(event.key);
    if (wanted === "Space" && event.target.closest?.("button, summary, a")) return; // presses that one
    const keyed = [...document.querySelectorAll("[data-key]")].filter(
      (element) => element.dataset.key.split(" ").includes(wanted) && isVisible(element),
    );
    if (keyed.length === 0) return;
    event.preventDefault();
    keyed[0].click();
    if (keyed[0].matches("summary")) keyed[0].parentElement.querySelector("[data-first]")?.focus();
  });
  for (const opener of document.querySelectorAll("[data-opens]")) {
    const dialog = document.getElementById(opener.dataset.opens);
    opener.addEventListener("click", () => dialog.showModal());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  }
}
