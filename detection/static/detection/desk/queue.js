// The queue of episodes: its keys and buttons.

import { dismissPicked, pickAll, pickCurrent, putToastAway, undo } from "./queue_dismissal.js";
import { byId, currentCard, root, sideways, step, upOrDown } from "./queue_list.js";
import { showNew } from "./queue_news.js";
import "./queue_previews.js";

const keys = byId("queue-keys");
const search = root.querySelector("input[type=search]");
const filters = root.querySelector(".q-more");
const toggleFilters = () => {
  filters.open = !filters.open;
  if (filters.open) filters.querySelector("select").focus();
};

const KEYS = {
  j: () => step(1), k: () => step(-1), x: pickCurrent, a: () => pickAll(), d: dismissPicked, u: undo, n: showNew,
  f: toggleFilters, v: () => root.querySelector(".q-switch a:not([aria-current])").click(),
  "/": () => search.focus(), "?": () => keys.showModal(),
};
const ARROWS = { // they scroll the page until a card is in focus
  ArrowDown: () => upOrDown(true), ArrowUp: () => upOrDown(false),
  ArrowRight: () => sideways(true), ArrowLeft: () => sideways(false),
};
const leave = (element) => {
  if (filters.open) filters.open = false;
  else if (writes(element)) element.blur();
  else if (!putToastAway()) pickAll(false);
};
const writes = (element) => element?.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.key === "Escape") return leave(event.target);
  const act = KEYS[event.key] ?? (currentCard() ? ARROWS[event.key] : undefined);
  if (writes(event.target) || !act) return;
  event.preventDefault();
  act();
});

const BUTTONS = {
  "queue-none": () => pickAll(false), "queue-news-show": showNew, "queue-undo": undo,
  "queue-toast-close": putToastAway, "queue-keys-open": () => keys.showModal(),
};
root.addEventListener("click", (event) => BUTTONS[event.target.closest("button")?.id]?.());
root.addEventListener("change", (event) => {
  if (event.target.id === "queue-order") location.assign(event.target.value);
});
