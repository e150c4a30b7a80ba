// The player, its overlay and the timeline, kept in step; and what is missing of an episode said.

import { heldAt, readRecording, ruleLines } from "./boxes.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";
import { nameOf, offset, say, timeOfDay } from "./words.js";

export class Film {
  constructor(root) {
    this.root = root;
    this.player = new Player(root.querySelector("video"));
    this.overlay = new Overlay(root.querySelector("[data-overlay]"));
    this.timeline = new Timeline(root.querySelector("[data-timeline]"));
    this.clock = root.querySelector("[data-clock]");
    this.held = root.querySelector("[data-held]");
    this.recording = null;
    this.player.addEventListener("frame", () => this.#show());
    this.player.addEventListener("change", () => this.#change());
    this.player.addEventListener("broken", () => this.#state("broken"));
    this.timeline.addEventListener("seek", ({ detail }) => this.seek(detail));
    this.player.video.removeAttribute("controls"); // ours are there
  }

  /** Take what the server says of the episode now; called again while more of it comes. */
  async take(data) {
    const before = this.data;
    this.data = data;
    this.#setStill(data.still);
    if (data.clip.state !== "ready") this.#state(data.clip.state);
    else if (data.clip.url !== before?.clip.url) this.#load(data);
    const { state, url } = data.recording;
    if (url !== before?.recording.url || state !== before?.recording.state) await this.#fetchRecording();
    this.#redraw();
  }

  seek(second) {
    this.player.seek(second);
    if (!this.player.isReady) this.#show();
  }

  #setStill(address) {
    const still = this.root.querySelector(".ep-still");
    if (address && still.getAttribute("src") !== address) still.src = address;
    still.hidden = !address;
    this.root.toggleAttribute("data-no-still", !address);
  }

  #load(data) {
    this.#state("ready");
    this.overlay.setPicture(data.clip.width || 1280, data.clip.height || 720);
    this.player.load(data.clip, data.began, 0);
    this.overlay.drawZones(data.zones);
  }

  async #fetchRecording() {
    const { state, url } = this.data.recording;
    this.recording = null;
    let says = state;
    if (state === "ready") {
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        this.recording = readRecording(await answer.json(), this.data.began);
      } catch {
        says = "broken";
      }
    }
    this.root.dataset.recording = says;
    this.root.toggleAttribute("data-late", !!this.recording?.isLate && this.recording.start > this.player.start + 0.5);
    this.root.toggleAttribute("data-cut", !!this.recording?.isCut);
    this.root.toggleAttribute("data-clip-cut", !!this.data.clip.is_cut);
  }

  /** `ready`, `coming`, `removed`, `none` or `broken`; the page has a sentence for each. */
  #state(state) {
    this.root.dataset.film = state;
    if (state !== "ready") this.player.second = 0;
  }

  #redraw() {
    const { player, data } = this;
    const lines = this.recording ? this.#nearLines() : [];
    const clip = this.root.dataset.film === "ready" && player.isReady ? { start: player.start, end: player.end } : null;
    this.timeline.setData(data, lines, clip);
    player.peak = this.timeline.peak;
    this.#legend();
    this.#show();
  }

  /** A recording begins minutes before; nobody needs what lies outside the timeline. */
  #nearLines() {
    const from = this.data.clip.began == null ? -15 : this.data.clip.began - this.data.began - 15;
    return ruleLines(this.recording.moments.filter(({ at }) => at > from));
  }

  #legend() {
    const legend = this.root.querySelector("[data-legend]");
    legend.replaceChildren(...this.timeline.lines.map(({ rule }, index) => {
      const word = document.createElement("span");
      word.className = `ep-key ep-key-${index % 5}`;
      word.textContent = nameOf(rule);
      return word;
    }));
  }

  #change() {
    const { player } = this;
    if (player.isReady && player.video.videoWidth) {
      const { videoWidth, videoHeight } = player.video;
      if (videoWidth !== this.overlay.width || videoHeight !== this.overlay.height) {
        this.overlay.setPicture(videoWidth, videoHeight);
      }
    }
    this.root.classList.toggle("ep-playing", player.isPlaying);
    const span = player.isReady ? `${player.start}:${player.end}` : "";
    if (this.data && span !== this.span) {
      this.span = span;
      this.#redraw();
    } else this.#show();
  }

  #show() {
    if (!this.data) return;
    const { player } = this;
    const moments = this.recording?.moments;
    const isOnScreen = this.root.dataset.film === "ready" && player.shown !== null && this.data.clip.began != null;
    this.root.classList.toggle("ep-on-screen", isOnScreen);
    if (isOnScreen) this.overlay.draw(moments ?? null, player.second);
    this.timeline.show(player.second);
    this.clock.textContent = `${timeOfDay(this.data.began + player.second)}  ${say("seconds", { second: offset(player.second) })}`;
    const held = moments ? heldAt(moments, player.second)[0] : null;
    this.held.textContent = held ? `${nameOf(held.rule)} ${Math.round(held.confidence)} %` : "";
    this.held.title = held?.reason ?? "";
  }
}
