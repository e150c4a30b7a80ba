// Moving previews: while one looks at a card, and never for those who want no motion.

import { cardOf, cards, root } from "./queue_list.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");

const play = (card) => {
  const image = card?.querySelector("img[data-preview]");
  if (!image || calm.matches || image.dataset.still) return;
  image.dataset.still = image.getAttribute("src");
  image.src = image.dataset.preview;
};
const rest = (card) => {
  const image = card?.querySelector("img[data-still]");
  if (!image) return;
  image.src = image.dataset.still;
  delete image.dataset.still;
};
const leaves = (event) => {
  const card = cardOf(event.target);
  return card?.contains(event.relatedTarget) ? null : card;
};

root.addEventListener("pointerover", (event) => event.pointerType === "mouse" && play(cardOf(event.target)));
root.addEventListener("pointerout", (event) => {
  const card = leaves(event);
  if (!card?.contains(document.activeElement)) rest(card);
});
root.addEventListener("focusin", (event) => play(cardOf(event.target)));
root.addEventListener("focusout", (event) => rest(leaves(event)));

// Without a pointer that hovers, the card in the middle of the screen plays.
const middle = new IntersectionObserver(
  (entries) => entries.forEach((entry) => (entry.isIntersecting ? play : rest)(entry.target)),
  { rootMargin: "-40% 0px -40% 0px" },
);
const watchMiddle = () => {
  middle.disconnect();
  if (matchMedia("(hover: none)").matches && !calm.matches) cards().forEach((card) => middle.observe(card));
};
root.addEventListener("queue:renewed", watchMiddle);
watchMiddle();
