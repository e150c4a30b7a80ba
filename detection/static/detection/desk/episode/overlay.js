// Boxes, numbers and zones over the picture, in an SVG that is laid over it as the picture itself is
// (contained, with the same bars), so that a share of the picture is the same share of the SVG.

import { boxesAt } from "./boxes.js";
import { nameOf } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const TEXT = 12; // pixels on the screen, however large the picture is shown
const LINE = 17;
const measure = document.createElement("canvas").getContext("2d");

function make(name, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

export class Overlay {
  constructor(svg) {
    this.svg = svg;
    this.zones = make("g", { class: "ep-zones" }, svg);
    this.boxes = make("g", { class: "ep-boxes" }, svg);
    this.pool = new Map(); // a group per track, kept from frame to frame
    this.width = 1280;
    this.height = 720;
    this.shows = { boxes: true, labels: true, zones: true };
    new ResizeObserver(() => this.#resize()).observe(svg);
  }

  /** The picture's own size, of which boxes and zones are shares. */
  setPicture(width, height) {
    [this.width, this.height] = [width, height];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#resize();
  }

  show(what, on) {
    this.shows[what] = on;
    this.zones.toggleAttribute("hidden", !this.shows.zones);
    this.#redraw?.();
  }

  #redraw = null;

  drawZones(zones) {
    this.known = zones;
    this.zones.replaceChildren();
    for (const zone of zones) this.#drawZone(zone);
  }

  #drawZone({ name, kind, points, is_line: isLine }) {
    const group = make("g", { class: `ep-zone ep-zone-${kind}` }, this.zones);
    const corners = points.map(([x, y]) => [x * this.width, y * this.height]);
    const outline = corners.map((corner) => corner.join(",")).join(" ");
    make(isLine ? "polyline" : "polygon", { points: outline }, group);
    if (isLine) this.#drawArrow(group, corners);
    const [x, y] = corners.reduce((one, other) => (other[0] + 2 * other[1] < one[0] + 2 * one[1] ? other : one));
    this.#write(group, name, x, y);
  }

  /** To the right of the line, as one walks from its first end: the way that is looked at. */
  #drawArrow(group, [[x1, y1], [x2, y2]]) {
    const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [across, along] = [[-(y2 - y1) / length, (x2 - x1) / length], [(x2 - x1) / length, (y2 - y1) / length]];
    const at = (far, aside) =>
      [x + this.unit * (far * across[0] + aside * along[0]), y + this.unit * (far * across[1] + aside * along[1])].join(",");
    make("polyline", { points: `${at(0, 0)} ${at(26, 0)}` }, group);
    make("polyline", { points: `${at(18, -7)} ${at(27, 0)} ${at(18, 7)}` }, group);
  }

  /** Put the boxes of this second on the picture; null for none. */
  draw(moments, second) {
    this.#redraw = () => this.draw(moments, second);
    const boxes = this.shows.boxes && moments ? boxesAt(moments, second) : [];
    const seen = new Set(boxes.map(({ id }) => id));
    for (const [id, group] of this.pool) {
      if (!seen.has(id)) {
        group.remove();
        this.pool.delete(id);
      }
    }
    for (const box of boxes) this.#drawBox(box);
  }

  #drawBox({ id, label, confidence, box: [left, top, right, bottom], isSuspect }) {
    let group = this.pool.get(id);
    if (!group) {
      group = make("g", { "data-track": id });
      make("rect", {}, group);
      this.pool.set(id, group);
    }
    this.boxes.append(group); // in the order of the boxes: suspects over the others
    group.setAttribute("class", isSuspect ? "ep-box ep-suspect" : "ep-box");
    const [x, y] = [left * this.width, top * this.height];
    const place = { x, y, width: (right - left) * this.width, height: (bottom - top) * this.height };
    for (const [key, value] of Object.entries(place)) group.firstChild.setAttribute(key, value);
    while (group.childNodes.length > 1) group.lastChild.remove();
    if (this.shows.labels) this.#write(group, `${nameOf(label)} ${id} · ${Math.round(100 * confidence)} %`, x, y);
  }

  /** On a plate that stands on the corner, moved so that it lies within the picture. */
  #write(group, text, x, y) {
    const plate = make("g", { class: "ep-plate" }, group);
    const back = make("rect", {}, plate);
    const word = make("text", { "font-size": TEXT * this.unit }, plate);
    word.textContent = text;
    measure.font = `600 ${TEXT}px Inter, sans-serif`; // as in the style sheet
    const width = (measure.measureText(text).width + 8) * this.unit;
    const height = LINE * this.unit;
    const [left, top] = [Math.max(0, Math.min(x, this.width - width)), Math.max(0, y - height)];
    for (const [key, value] of Object.entries({ x: left, y: top, width, height })) back.setAttribute(key, value);
    word.setAttribute("x", left + 4 * this.unit);
    word.setAttribute("y", top + 0.73 * height);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.svg;
    const scale = Math.min(clientWidth / this.width, clientHeight / this.height);
    this.unit = scale > 0 ? 1 / scale : 1; // picture pixels to a pixel of the screen
    if (this.known) this.drawZones(this.known);
    this.#redraw?.();
  }
}
