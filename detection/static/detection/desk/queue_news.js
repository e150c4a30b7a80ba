// What is new: announced, and shown when it is asked for. Cards that are on the page renew what they
// say, in place. Nothing that an officer reads ever moves by itself.

import { byId, cards, list, renewList, root, sayFallenSilent, showCounts } from "./queue_list.js";

const PERIOD_MS = 10_000;
const SOUND_KEY = "queue-sound";

let tag = "";
let announced = 0;

// --- the sound, off until it is switched on -------------------------------------------------------

const sound = byId("queue-sound");
const isOn = () => localStorage.getItem(SOUND_KEY) === "on";
const showSound = () => {
  sound.setAttribute("aria-pressed", String(isOn()));
  sound.firstElementChild.textContent = isOn() ? "notifications_active" : "notifications_off";
};
const ring = () => {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.connect(context.destination);
  gain.gain.setValueAtTime(0.0001, context.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.2, context.currentTime + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 0.7);
  for (const [hertz, after] of [[660, 0], [880, 0.16]]) {
    const tone = context.createOscillator();
    tone.frequency.value = hertz;
    tone.connect(gain);
    tone.start(context.currentTime + after);
    tone.stop(context.currentTime + 0.7);
  }
};
sound.addEventListener("click", () => {
  localStorage.setItem(SOUND_KEY, isOn() ? "off" : "on");
  showSound();
  if (isOn()) ring(); // so that it is heard what will be heard
});
showSound();

// --- asking ---------------------------------------------------------------------------------------

const announce = ({ new: count, said }) => {
  root.querySelector(".q-news").classList.toggle("q-some", count > 0);
  byId("queue-news-show").hidden = count === 0;
  if (byId("queue-news-text").textContent !== said) byId("queue-news-text").textContent = said;
  if (count > announced && isOn()) ring();
  announced = count;
};
const renewCard = (card, html) => {
  const template = document.createElement("template");
  template.innerHTML = html.trim(); // escaped by the server, as in the page itself
  const fresh = template.content.firstElementChild;
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = card.querySelector(`[data-part="${part.dataset.part}"]`);
    if (old && old.innerHTML !== part.innerHTML) old.innerHTML = part.innerHTML;
    if (old && old.className !== part.className) old.className = part.className;
  }
  card.className = fresh.className;
  // Decided or over by now: it can be dismissed with others no longer, or from now on.
  const [had, has] = [card, fresh].map((one) => one.querySelector(".q-pick, .q-pick-row"));
  if (had && !has) had.remove();
  if (!had && has) (card.matches("tr") ? card.cells[0] : card).append(has);
  const [still, picture] = [card, fresh].map((one) => one.querySelector(".q-picture > :first-child"));
  if (still?.matches(".q-no-picture") && picture.matches("img")) still.replaceWith(picture);
};
const ask = async () => {
  if (document.hidden) return;
  const { readAt, known, query, view } = list().dataset;
  const shown = cards().map((card) => card.dataset.card).join(",");
  const asked = new URLSearchParams(query);
  for (const [name, value] of Object.entries({ read_at: readAt, known, shown, view })) asked.set(name, value);
  try {
    const answer = await fetch(`${root.dataset.newsUrl}?${asked}`, {
      redirect: "error", cache: "no-store", headers: { "If-None-Match": tag }, signal: AbortSignal.timeout(PERIOD_MS),
    });
    if (!answer.ok && answer.status !== 304) throw new Error(`status ${answer.status}`);
    sayFallenSilent(false);
    if (answer.status === 304) return;
    const news = await answer.json();
    tag = answer.headers.get("ETag") ?? "";
    announce(news);
    showCounts(news.waiting, news.open);
    for (const card of cards()) if (news.cards[card.dataset.card]) renewCard(card, news.cards[card.dataset.card]);
    root.dispatchEvent(new Event("queue:changed"));
  } catch {
    sayFallenSilent(true);
  }
};
root.addEventListener("queue:renewed", () => {
  tag = "";
  announce({ new: 0, said: "" });
});
setInterval(ask, PERIOD_MS);
document.addEventListener("visibilitychange", ask);

export const showNew = async () => {
  if (announced === 0) return;
  const first = new URL(location.href);
  first.searchParams.delete("p");
  try {
    await renewList(first, true);
    history.replaceState(null, "", first);
  } catch {
    sayFallenSilent(true);
  }
};
