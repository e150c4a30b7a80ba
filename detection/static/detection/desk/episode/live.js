// The page's facts, renewed by themselves: quickly while the episode lasts or its files are still
// being written, slowly later on, when only another officer can change them.

import { say } from "./words.js";

const QUICK = 3000;
const SLOW = 15_000;
const TOKEN = /name="csrfmiddlewaretoken" value="[^"]*"/g; // another one in each answer

export class Live {
  constructor(root, data, film) {
    this.root = root;
    this.film = film;
    this.data = data;
    this.verdict = root.dataset.verdict;
    this.shown = new Map();
    this.turn = 0; // an answer to an earlier question is old
    this.status = root.querySelector("[data-live-status]");
    this.warning = root.querySelector("[data-warning]");
    document.addEventListener("visibilitychange", () => document.hidden || this.renew());
    this.#wait();
  }

  /** What we set the verdict to ourselves; another one is somebody else's. */
  expect(verdict) {
    this.verdict = verdict;
    this.turn += 1;
  }

  warn(text) {
    this.warning.querySelector("p").textContent = text;
    this.warning.hidden = false;
  }

  async renew(isOurs = false) {
    if (document.hidden && !isOurs) return;
    clearTimeout(this.timer);
    const turn = ++this.turn;
    try {
      const answer = await fetch(this.root.dataset.state, {
        headers: { Accept: "application/json" },
        redirect: "error",
        signal: AbortSignal.timeout(10_000),
      });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const now = await answer.json();
      if (turn !== this.turn) return;
      this.#take(now, isOurs);
      this.status.hidden = true;
    } catch {
      if (turn !== this.turn) return;
      this.status.hidden = false;
    }
    this.#wait();
  }

  #take({ film, parts, verdict, said }, isOurs) {
    const isOther = JSON.stringify(film) !== JSON.stringify(this.data);
    this.data = film;
    if (verdict !== this.verdict) {
      if (!isOurs) this.warn(say("meanwhile", { said }));
      this.verdict = verdict;
    }
    for (const [name, html] of Object.entries(parts)) this.#replace(name, html, isOurs);
    if (isOther) this.film.take(film);
  }

  /** Nothing is taken from under the hands of somebody who writes or chooses. */
  #replace(name, html, isOurs) {
    const part = this.root.querySelector(`[data-part=${name}]`);
    const bare = html.replace(TOKEN, "");
    if (!part || this.shown.get(name) === bare) return;
    const fields = [...part.querySelectorAll("textarea, input")];
    const writing = fields.some(({ value, defaultValue }) => value !== defaultValue);
    if (writing || (part.matches(":focus-within") && !isOurs)) return;
    const open = [...part.querySelectorAll("details[open]")].map(({ id }) => id);
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = html; // escaped by the server, as in the page itself
    this.shown.set(name, bare);
    for (const id of open) if (id) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
  }

  #wait() {
    clearTimeout(this.timer);
    const { is_open: isOpen, clip, recording } = this.data;
    const isComing = isOpen || clip.state === "coming" || recording.state === "coming";
    this.timer = setTimeout(() => this.renew(), isComing ? QUICK : SLOW);
  }
}
