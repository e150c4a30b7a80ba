// Choosing many, dismissing them with one reason, and taking it back.

import { byId, currentCard, list, renewList, root, sayFallenSilent } from "./queue_list.js";

const boxes = () => [...list().querySelectorAll("input[name=keys]")];

const countPicked = () => {
  const bar = byId("queue-bulk");
  if (!bar) return;
  const all = boxes();
  const picked = all.filter((box) => box.checked).length;
  bar.hidden = picked === 0;
  byId("queue-picked").textContent = picked;
  const every = byId("queue-all");
  every.checked = picked > 0 && picked === all.length;
  every.indeterminate = picked > 0 && picked < all.length;
  every.disabled = all.length === 0;
};
export const pickAll = (on = !boxes().some((box) => box.checked)) => {
  for (const box of boxes()) box.checked = on;
  countPicked();
};

let last = null;
export const pickCurrent = () => {
  const box = currentCard()?.querySelector("input[name=keys]");
  if (!box) return;
  box.checked = !box.checked;
  last = box;
  countPicked();
};
root.addEventListener("click", (event) => {
  if (!event.target.matches("input[name=keys]")) return;
  const all = boxes();
  const [one, two] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
  if (event.shiftKey && one >= 0) for (const box of all.slice(one, two + 1)) box.checked = event.target.checked;
  last = event.target;
});
root.addEventListener("change", (event) => {
  if (event.target.id === "queue-all") pickAll(event.target.checked);
  if (event.target.name === "keys") countPicked();
});
for (const moment of ["queue:renewed", "queue:changed"]) root.addEventListener(moment, countPicked);
countPicked();

export const dismissPicked = () => {
  if (byId("queue-bulk") === null) return;
  if (boxes().every((box) => !box.checked)) pickCurrent();
  if (boxes().some((box) => box.checked)) byId("queue-reason").focus();
};

const toast = byId("queue-toast");
let undoing = null;
const say = ({ message, undo }) => {
  undoing = undo?.length ? undo : null;
  toast.hidden = false;
  byId("queue-said").textContent = message;
  byId("queue-undo").hidden = undoing === null;
};
// Whether there was one to put away.
export const putToastAway = () => {
  const was = !toast.hidden;
  toast.hidden = true;
  return was;
};
const send = async (fields) => {
  const answer = await fetch(root.dataset.dismissUrl, {
    method: "POST", body: fields, redirect: "error",
    headers: { Accept: "application/json", "X-CSRFToken": root.querySelector("input[name=csrfmiddlewaretoken]").value },
  });
  return answer.json();
};
const act = async (fields) => {
  try {
    const said = await send(fields);
    await renewList();
    say(said);
  } catch {
    sayFallenSilent(true);
  }
};
root.addEventListener("submit", (event) => {
  if (event.target.id !== "queue-form") return;
  event.preventDefault();
  act(new FormData(event.target));
});
export const undo = () => {
  if (undoing === null) return;
  const fields = new FormData();
  for (const key of undoing) fields.append("undo", key);
  act(fields);
};
