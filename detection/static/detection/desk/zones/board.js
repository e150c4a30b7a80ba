// The picture with its zones: draws what it is told, and knows what is under a finger.
import { between, middle } from "./geometry.js";

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 1000; // of the drawing, in its own units
const ARROW = 46; // length of the arrow to the inside, in pixels

export class Board {
  constructor(svg, words, kinds) {
    this.svg = svg;
    this.words = words;
    this.kinds = kinds;
    this.aspect = 16 / 9;
    this.layers = ["shapes", "names", "grips", "draft"].map((name) => {
      const layer = document.createElementNS(NS, "g");
      layer.setAttribute("class", `zone-${name}`);
      svg.append(layer);
      return layer;
    });
    this.parts = new Map(); // by key, so that what is focused or dragged stays the same element
    this.shape();
  }

  shape(aspect = this.aspect) {
    this.aspect = aspect;
    this.height = WIDTH / aspect;
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${this.height}`);
  }

  /** Units of the drawing for a pixel of the screen, at this zoom. */
  get unit() {
    return WIDTH / Math.max(1, this.svg.getBoundingClientRect().width);
  }

  spot(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  pixels(a, b) {
    const box = this.svg.getBoundingClientRect();
    return Math.hypot((a[0] - b[0]) * box.width, (a[1] - b[1]) * box.height);
  }

  at([x, y]) {
    return [x * WIDTH, y * this.height];
  }

  draw({ zones, chosen, draft, faults, mayEdit }) {
    this.used = new Set();
    for (const zone of zones) this.drawZone(zone, zone.key === chosen, faults.get(zone.key));
    const zone = zones.find((one) => one.key === chosen);
    if (zone && !draft && mayEdit) this.drawGrips(zone);
    this.drawDraft(draft);
    for (const [key, part] of this.parts) {
      if (this.used.has(key)) continue;
      part.remove();
      this.parts.delete(key);
    }
    this.svg.classList.toggle("is-drawing", Boolean(draft));
  }

  part(layer, name, key, attributes) {
    let part = this.parts.get(key);
    if (part && part.localName !== name) {
      part.remove();
      part = null;
    }
    if (!part) {
      part = document.createElementNS(NS, name);
      this.parts.set(key, part);
      layer.append(part);
    }
    for (const [attribute, value] of Object.entries(attributes)) {
      if (value === null) part.removeAttribute(attribute);
      else if (part.getAttribute(attribute) !== String(value)) part.setAttribute(attribute, value);
    }
    this.used.add(key);
    return part;
  }

  drawZone(zone, isChosen, fault) {
    const [shapes, names] = this.layers;
    const isLine = this.kinds[zone.kind].line;
    const points = zone.corners.map((corner) => this.at(corner).join(",")).join(" ");
    const state = `${isChosen ? " is-chosen" : ""}${zone.enabled ? "" : " is-off"}${fault ? " is-wrong" : ""}`;
    const kind = this.kinds[zone.kind].label;
    const said = zone.enabled ? this.words("zone", { name: zone.name, kind, count: zone.corners.length })
      : this.words("zone_off", { name: zone.name, kind });
    const common = { points, "data-zone": zone.key, "data-kind": zone.kind };
    this.part(shapes, isLine ? "polyline" : "polygon", `${zone.key}:shape`, {
      ...common, class: `zone-shape${state}`, tabindex: 0, role: "button", "aria-label": said,
      "aria-pressed": isChosen, "data-part": "zone",
    });
    if (isLine && zone.corners.length === 2) this.drawDirection(zone, state, common);
    this.drawFault(zone, fault);
    const [x, y] = this.at(isLine && zone.corners.length ? zone.corners[0] : middle(zone.corners.length ? zone.corners : [[0.5, 0.5]]));
    const size = 13 * this.unit;
    const label = this.part(names, "text", `${zone.key}:name`, {
      x, y: isLine ? y - size * 0.8 : y + size * 0.35, "font-size": size, "text-anchor": "middle",
      class: `zone-name${state}`, "stroke-width": size * 0.28, "aria-hidden": true,
    });
    if (label.textContent !== zone.name) label.textContent = zone.name;
  }

  /** The inside is on the right of who walks from the first end to the second. */
  drawDirection(zone, state, common) {
    const [[ax, ay], [bx, by]] = zone.corners.map((corner) => this.at(corner));
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const [nx, ny] = [-(by - ay) / length, (bx - ax) / length];
    const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
    const far = ARROW * this.unit, head = 10 * this.unit;
    const [tx, ty] = [mx + nx * far, my + ny * far];
    const wing = (sign) => `${tx - nx * head + sign * ny * head * 0.7} ${ty - ny * head - sign * nx * head * 0.7}`;
    this.part(this.layers[0], "path", `${zone.key}:arrow`, {
      d: `M${mx} ${my}L${tx} ${ty}M${wing(1)}L${tx} ${ty}L${wing(-1)}`,
      class: `zone-arrow${state}`, "data-kind": zone.kind, "data-zone": zone.key, "data-part": "zone",
      "aria-hidden": true,
    });
    this.part(this.layers[0], "polyline", `${zone.key}:hit`, {
      points: common.points, class: `zone-hit${state}`, "data-zone": zone.key, "data-part": "zone", "aria-hidden": true,
    });
  }

  drawFault(zone, fault) {
    if (!fault || !fault.edges) return;
    for (const edge of fault.edges) {
      const [a, b] = [zone.corners[edge], zone.corners[(edge + 1) % zone.corners.length]];
      const [[x1, y1], [x2, y2]] = [this.at(a), this.at(b)];
      this.part(this.layers[0], "line", `${zone.key}:fault${edge}`, { x1, y1, x2, y2, class: "zone-fault", "aria-hidden": true });
    }
  }

  drawGrips(zone) {
    const layer = this.layers[2];
    const { corners } = zone;
    const isLine = this.kinds[zone.kind].line;
    corners.forEach((corner, index) => {
      const [cx, cy] = this.at(corner);
      const where = { number: index + 1, count: corners.length, name: zone.name, x: Math.round(corner[0] * 100), y: Math.round(corner[1] * 100) };
      const grip = { cx, cy, "data-zone": zone.key, "data-corner": index, "data-part": "corner" };
      this.part(layer, "circle", `grip:${index}:dot`, { cx, cy, r: 7 * this.unit, class: "zone-dot", "data-kind": zone.kind, "aria-hidden": true });
      this.part(layer, "circle", `grip:${index}`, {
        ...grip, r: 22 * this.unit, class: "zone-grip", tabindex: 0, role: "button", "aria-label": this.words("corner", where),
      });
    });
    if (isLine) return;
    corners.forEach((corner, index) => {
      const next = (index + 1) % corners.length;
      if (this.pixels(corner, corners[next]) < 60) return;
      const [cx, cy] = this.at(between(corner, corners[next]));
      this.part(layer, "circle", `edge:${index}:dot`, { cx, cy, r: 4.5 * this.unit, class: "zone-edge-dot", "data-kind": zone.kind, "aria-hidden": true });
      this.part(layer, "circle", `edge:${index}`, {
        cx, cy, r: 16 * this.unit, class: "zone-edge", "data-zone": zone.key, "data-edge": index, "data-part": "edge", "aria-hidden": true,
      });
    });
  }

  drawDraft(draft) {
    if (!draft) return;
    const layer = this.layers[3];
    const points = [...draft.corners, draft.cursor].filter(Boolean).map((corner) => this.at(corner));
    this.part(layer, "polyline", "draft:line", {
      points: points.map((point) => point.join(",")).join(" "), class: "zone-draft-line", "data-kind": draft.kind, "aria-hidden": true,
    });
    draft.corners.forEach((corner, index) => {
      const [cx, cy] = this.at(corner);
      this.part(layer, "circle", `draft:${index}`, {
        cx, cy, r: (index === 0 && draft.corners.length >= 3 ? 10 : 6) * this.unit,
        class: `zone-draft-dot${index === 0 ? " is-first" : ""}`, "data-kind": draft.kind, "aria-hidden": true,
      });
    });
    if (!draft.cursor) return;
    const [x, y] = this.at(draft.cursor), arm = 14 * this.unit;
    this.part(layer, "path", "draft:cursor", {
      d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}`, class: `zone-cursor${draft.byKey ? " by-key" : ""}`, "aria-hidden": true,
    });
  }

  focus(key) {
    this.parts.get(key)?.focus({ preventScroll: false });
  }
}
