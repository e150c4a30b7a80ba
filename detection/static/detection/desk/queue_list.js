// The list of the queue as it stands on the page: its cards, where the officer is, and renewing it.

export const root = document.querySelector(".q");
export const byId = (id) => document.getElementById(id);
export const list = () => byId("queue-list");
export const cards = () => [...list().querySelectorAll("[data-card]")];
export const cardOf = (element) => element?.closest?.("[data-card]") ?? null;
export const currentCard = () => cardOf(document.activeElement);
const wayOf = (card) => card.querySelector("a[data-way]");

let current = null; // the key of the card that was last in focus: it may be written anew
root.addEventListener("focusin", (event) => { current = cardOf(event.target)?.dataset.card ?? current; });

const goTo = (card) => {
  if (!card) return;
  wayOf(card).focus();
  card.scrollIntoView({ block: "nearest" });
};
export const step = (by) => {
  const all = cards();
  const at = all.findIndex((card) => card.dataset.card === current);
  const to = currentCard() ? at + by : at; // back from elsewhere: first to where one was
  goTo(at < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, to))]);
};
export const sideways = (right) => step((document.documentElement.dir === "rtl") === right ? -1 : 1);
export const upOrDown = (down) => {
  const { top, left } = currentCard().getBoundingClientRect();
  const places = cards().map((card) => [card, card.getBoundingClientRect()]);
  const beyond = places.filter(([, place]) => (down ? place.top > top + 4 : place.top < top - 4));
  if (beyond.length === 0) return;
  const edge = (down ? Math.min : Math.max)(...beyond.map(([, place]) => place.top));
  const row = beyond.filter(([, place]) => Math.abs(place.top - edge) < 4);
  row.sort(([, one], [, two]) => Math.abs(one.left - left) - Math.abs(two.left - left));
  goTo(row[0][0]);
};

export const sayFallenSilent = (silent) => { byId("queue-silent").hidden = !silent; };

const bareTitle = document.title.replace(/^\s*\(\d+\+?\)\s*/u, "");
const show = (element, text) => {
  if (!element) return;
  element.textContent = text;
  element.hidden = !text;
};
const badgeOfNavigation = () => {
  const link = document.querySelector(`#nav-sidebar-apps a[href="${root.dataset.listUrl}"]`);
  return link?.querySelector("span:last-child:not(:nth-child(2))");
};
export const showCounts = (waiting, open) => {
  document.title = waiting ? `(${waiting}) ${bareTitle}` : bareTitle;
  show(root.querySelector("[data-waiting]"), waiting);
  show(root.querySelector("[data-open-count]"), open);
  show(badgeOfNavigation(), waiting);
};

// The list as the server has it now, in place; the officer stays at the card where they were.
export const renewList = async (address = location.href, first = false) => {
  const answer = await fetch(address, { redirect: "error" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const kept = current;
  list().replaceWith(document.adoptNode(page.getElementById("queue-list")));
  const text = (selector) => page.querySelector(selector)?.textContent.trim() ?? "";
  const unlessNone = (count) => (count === "0" ? "" : count);
  showCounts(unlessNone(text("[data-waiting]")), unlessNone(text("[data-open-count]")));
  root.dispatchEvent(new Event("queue:renewed"));
  if (first) goTo(cards()[0]);
  else cards().filter((card) => card.dataset.card === kept).forEach((card) => wayOf(card).focus({ preventScroll: true }));
};
