// Deciding: each act is a form of the page, sent without leaving it; what came of it is said, with
// a way back. A verdict may lead on to the next episode that nobody has reviewed.

import { recall, toggle } from "./controls.js";
import { say } from "./words.js";

const TOAST = 12_000;
const CARRIED = "crimeops.episode.done"; // what the next page still says of this one

export class Acts {
  constructor(root, live) {
    this.root = root;
    this.live = live;
    this.sent = 0;
    this.toasts = document.getElementById("episode-toasts");
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-act]")) return;
      event.preventDefault();
      this.send(event.target, event.submitter);
    });
    const goOn = root.querySelector("[data-do=go-on]");
    if (goOn) toggle(goOn, "goOn", false, () => {});
    this.#sayCarried();
  }

  async send(form, submitter) {
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const number = ++this.sent;
    const body = new FormData(form, submitter);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
        redirect: "error",
      });
      const told = await answer.json();
      await this.#tell(told, form, body.get("act"), number === this.sent);
    } catch {
      this.toast({ message: say("unreached"), tone: "bad" });
    } finally {
      delete form.dataset.busy;
    }
  }

  /** A slow answer (a siren may take seconds) says nothing once a newer act was sent. */
  async #tell(told, form, act, isNewest) {
    if (!told.ok) {
      this.live.warn(told.message);
      return void (await this.live.renew(true));
    }
    form.reset();
    form.closest("details")?.removeAttribute("open");
    if (told.expected) this.#expect(told.expected);
    const done = { message: told.message, undo: told.undo ?? null, address: form.action };
    const next = document.querySelector("[data-next-to-review]");
    if ((act === "confirmed" || act === "dismissed") && recall("goOn", false) && next) {
      sessionStorage.setItem(CARRIED, JSON.stringify(done));
      location.assign(next.href);
      return;
    }
    if (isNewest) this.toast(done);
    await this.live.renew(true);
  }

  /** The next act may come before the page is renewed. */
  #expect(verdict) {
    this.live.expect(verdict);
    for (const field of this.root.querySelectorAll("[name=expected]")) field.value = verdict;
  }

  #sayCarried() {
    const carried = sessionStorage.getItem(CARRIED);
    sessionStorage.removeItem(CARRIED);
    if (carried) this.toast(JSON.parse(carried));
  }

  /** Say what was done, and offer the way back for a while. */
  toast({ message, undo = null, address = "", tone = "good" }) {
    const shape = document.getElementById("episode-toast").content.cloneNode(true);
    const toast = shape.firstElementChild;
    toast.classList.add(`ep-toast-${tone}`);
    toast.querySelector("[data-message]").textContent = message;
    const form = toast.querySelector("form");
    if (undo === null) form?.remove();
    else if (form) {
      form.action = address;
      form.elements.step.value = undo;
      form.addEventListener("submit", () => toast.remove());
    }
    toast.querySelector("[data-close]").addEventListener("click", () => toast.remove());
    this.toasts.replaceChildren(toast);
    setTimeout(() => toast.remove(), TOAST);
  }
}
