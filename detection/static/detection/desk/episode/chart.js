// Draws a stretch of time: the rules' lines, the thresholds, the marks with their labels, the axis.

import { placeLabels, ticks } from "./labels.js";
import { nameOf, offset, say, timeOfDay } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000; // of the picture's own units; it is stretched over the plot
const COLOURS = 5;
const TICK = 64; // pixels between two of the axis, at least

export class Chart {
  /** `seek` is called with the second of a mark that was pressed. */
  constructor(root, seek) {
    this.plot = root.querySelector("[data-plot]");
    this.svg = root.querySelector("[data-plot] svg");
    this.labels = root.querySelector("[data-marks]");
    this.axis = root.querySelector("[data-axis]");
    this.seek = seek;
  }

  /** `view` is what is shown, `whole` all that there is, `clip` where there is a video (or null). */
  draw({ data, lines, clip, view, whole }) {
    if (this.plot.clientWidth === 0) return;
    Object.assign(this, { data, view, whole });
    this.svg.replaceChildren();
    if (clip) this.#drawMissing(clip);
    this.#drawAxis();
    for (const [name, level] of Object.entries(data.thresholds)) {
      this.#make("line", { class: `ep-level ep-level-${name}`, x1: 0, x2: WIDTH, y1: 100 - level, y2: 100 - level });
    }
    lines.forEach(({ rule, points }, index) => this.#drawLine(rule, points, index));
    this.#drawMarks();
  }

  /** A second as a share of what is shown. */
  share(second) {
    return (second - this.view[0]) / (this.view[1] - this.view[0]);
  }

  #drawMissing({ start, end }) {
    for (const [from, to] of [[this.view[0], start], [end, this.view[1]]]) {
      const x = WIDTH * Math.max(0, this.share(from));
      const width = WIDTH * Math.min(1, this.share(to)) - x;
      if (width > 1) this.#make("rect", { class: "ep-no-video", x, y: 0, width, height: 100 });
    }
  }

  #drawLine(rule, points, index) {
    const [from, to] = this.view;
    const span = to - from;
    const near = points.filter(([second]) => second > from - span && second < to + span);
    if (near.length === 0) return;
    const drawn = near.map(([second, sure]) => `${(WIDTH * this.share(second)).toFixed(1)},${100 - sure}`);
    const line = this.#make("polyline", { class: `ep-line ep-line-${index % COLOURS}`, points: drawn.join(" ") });
    line.append(document.createElementNS(SVG, "title"));
    line.firstChild.textContent = nameOf(rule);
  }

  #drawAxis() {
    const most = Math.max(2, Math.floor(this.plot.clientWidth / TICK));
    const found = ticks(...this.view, most).map((second) => {
      const x = WIDTH * this.share(second);
      this.#make("line", { class: "ep-tick", x1: x, x2: x, y1: 0, y2: 100 });
      const tick = document.createElement("span");
      tick.textContent = second === 0 ? "0" : say("seconds", { second: offset(second, second % 1 ? 1 : 0) });
      tick.style.left = `${100 * this.share(second)}%`;
      return tick;
    });
    this.axis.replaceChildren(...found);
  }

  #drawMarks() {
    const marks = this.data.marks
      .map((mark) => ({ ...mark, second: mark.at - this.data.began }))
      .map((mark) => ({ ...mark, isLate: mark.second > this.whole[1] }))
      .filter(({ second, isLate }) => isLate || (second >= this.view[0] && second <= this.view[1]));
    const labels = marks.map((mark) => this.#label(mark));
    this.labels.replaceChildren(...labels);
    const room = this.plot.clientWidth;
    const wanted = marks.map(({ second }, index) => ({
      x: Math.min(1, this.share(second)) * room,
      width: labels[index].offsetWidth,
    }));
    const { places, rows } = placeLabels(wanted, room);
    this.labels.style.setProperty("--rows", rows);
    marks.forEach(({ tone }, index) => {
      labels[index].style.left = `${places[index].left}px`;
      labels[index].style.setProperty("--row", places[index].row);
      this.labels.append(this.#leader(wanted[index].x, places[index].row, tone));
      const x = (WIDTH * wanted[index].x) / room;
      this.#make("line", { class: `ep-mark ep-tone-${tone}`, x1: x, x2: x, y1: 0, y2: 100 });
    });
  }

  #label({ key, label, tone, second, isLate }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = `ep-label ep-tone-${tone}`;
    button.dataset.mark = key;
    button.textContent = isLate ? `${label} ${say("seconds", { second: offset(second, 0) })}` : label;
    button.title = say("moment", { clock: timeOfDay(this.data.began + second), second: offset(second) });
    button.addEventListener("click", () => this.seek(second));
    return button;
  }

  /** From a label down to the plot, where its mark is. */
  #leader(x, row, tone) {
    const leader = document.createElement("i");
    leader.className = `ep-leader ep-tone-${tone}`;
    leader.style.left = `${x}px`;
    leader.style.setProperty("--row", row);
    return leader;
  }

  #make(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    this.svg.append(element);
    return element;
  }
}
