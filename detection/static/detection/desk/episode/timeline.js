// One line of time under the player: one looks along it, nearer or further, and seeks on it.

import { Chart } from "./chart.js";
import { offset, say, timeOfDay } from "./words.js";

const MARGIN = 10; // seconds shown around an episode of which there is no clip
const LATE = 20; // a mark later than this after the end is named at the edge
const SHORTEST = 4; // seconds; nearer nobody looks
const KEYS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/** Says `seek` (`detail`: the second) where one points, presses a mark or uses the arrows. */
export class Timeline extends EventTarget {
  constructor(root) {
    super();
    this.plot = root.querySelector("[data-plot]");
    this.slider = root.querySelector("[role=slider]");
    this.head = root.querySelector("[data-head]");
    this.chart = new Chart(root, (second) => this.#seek(second));
    this.lines = [];
    this.second = 0;
    this.#listen();
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  /** Take the episode's data, its rules' lines and where the clip begins and ends. */
  setData(data, lines, clip) {
    const samples = data.samples.length > 0 ? [{ rule: data.crime, points: data.samples }] : [];
    Object.assign(this, { data, clip, lines: lines.length > 0 ? lines : samples });
    const isNear = this.whole?.some((edge, index) => edge !== this.view[index]);
    this.whole = this.#whole();
    if (isNear) this.#look(this.view[0], Math.min(this.view[1] - this.view[0], this.whole[1] - this.whole[0]));
    else this.view = [...this.whole];
    this.draw();
  }

  #whole() {
    const { data, clip } = this;
    const marks = data.marks.map(({ at }) => at - data.began);
    const end = data.ended === null ? Math.max(...marks) : data.ended - data.began;
    const last = Math.max(end, ...data.samples.map(([second]) => second));
    const from = clip ? Math.min(clip.start, 0) : -MARGIN;
    const to = clip ? Math.max(clip.end, last) : last + MARGIN;
    const near = marks.filter((second) => second < to + LATE).map((second) => second + 0.5);
    return [from, Math.max(to, ...near)];
  }

  /** The second at which a rule was surest. */
  get peak() {
    const points = this.lines.flatMap((line) => line.points);
    return points.reduce((one, other) => (other[1] > one[1] ? other : one), [0, -1])[0];
  }

  // --- looking --------------------------------------------------------------------------------

  draw() {
    if (!this.data) return;
    this.chart.draw(this);
    this.#placeHead();
  }

  /** More or less of it, around where one is. */
  zoom(factor, around = this.second) {
    const [from, to] = this.view;
    const span = Math.min(this.whole[1] - this.whole[0], Math.max(SHORTEST, (to - from) * factor));
    const share = Math.min(1, Math.max(0, (around - from) / (to - from)));
    this.#look(around - share * span, span);
    this.draw();
  }

  zoomOut() {
    this.view = [...this.whole];
    this.draw();
  }

  #look(from, span) {
    const start = Math.max(this.whole[0], Math.min(from, this.whole[1] - span));
    this.view = [start, start + span];
  }

  /** Put the play head on this second; a zoomed view goes with it. */
  show(second) {
    this.second = second;
    if (!this.data) return;
    const [from, to] = this.view;
    const isHidden = second < from || second > to;
    if (isHidden && second >= this.whole[0] && second <= this.whole[1]) {
      this.#look(second - 0.1 * (to - from), to - from);
      this.draw();
    } else this.#placeHead();
  }

  #placeHead() {
    const [from, to] = this.view;
    const share = (this.second - from) / (to - from);
    this.head.style.left = `${100 * Math.min(1, Math.max(0, share))}%`;
    const clock = timeOfDay(this.data.began + this.second);
    const said = {
      valuemin: this.whole[0].toFixed(1),
      valuemax: this.whole[1].toFixed(1),
      valuenow: this.second.toFixed(1),
      valuetext: say("moment", { clock, second: offset(this.second) }),
    };
    for (const [name, value] of Object.entries(said)) this.slider.setAttribute(`aria-${name}`, value);
  }

  // --- seeking --------------------------------------------------------------------------------

  #listen() {
    const { slider } = this;
    slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      slider.setPointerCapture(event.pointerId);
      this.#seek(this.#under(event));
    });
    slider.addEventListener("pointermove", (event) => {
      if (slider.hasPointerCapture(event.pointerId)) this.#seek(this.#under(event));
    });
    slider.addEventListener("keydown", (event) => this.#key(event));
    this.plot.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #under({ clientX }) {
    const { left, width } = this.plot.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left) / width));
    return this.view[0] + share * (this.view[1] - this.view[0]);
  }

  #wheel(event) {
    if (!event.ctrlKey) return; // the page's own scrolling
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#under(event));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const ends = { Home: this.whole[0], End: this.whole[1] };
    if (!(event.key in KEYS) && !(event.key in ends)) return;
    event.preventDefault(); // elsewhere the arrows go to the next episode
    const step = (KEYS[event.key] ?? 0) * (event.shiftKey ? 0.1 : 1);
    this.#seek(ends[event.key] ?? Math.min(this.whole[1], Math.max(this.whole[0], this.second + step)));
  }

  #seek(second) {
    this.dispatchEvent(new CustomEvent("seek", { detail: second }));
  }
}
