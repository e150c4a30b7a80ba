// Mouse, pen and finger on the board. A finger that drags a corner or the chosen zone does not
// scroll; anywhere else it does (zones.css says so by touch-action).
import { between, place, shifted } from "./geometry.js";

const CLICK_PIXELS = 6;
const CLOSE_PIXELS = { mouse: 14, touch: 28, pen: 18 };
const EDGE_PIXELS = 8; // so near to the picture's edge a corner snaps to it

export class Hands {
  constructor(board, desk) {
    this.board = board;
    this.desk = desk;
    this.grip = null;
    const { svg } = board;
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.release(event));
    svg.addEventListener("pointercancel", () => this.abandon());
    svg.addEventListener("pointerleave", () => this.desk.hover(null));
  }

  press(event) {
    if (event.button > 0 || !event.isPrimary) return;
    const spot = this.board.spot(event);
    const part = event.target.closest("[data-part]");
    this.grip = { spot, pointer: event.pointerType, moved: false, part: null, from: [event.clientX, event.clientY] };
    if (this.desk.draft || !part) return;
    const zone = this.desk.zone(part.dataset.zone);
    const wasChosen = zone.key === this.desk.chosen;
    this.desk.choose(zone.key);
    if (!this.desk.may.change && zone.id) return;
    if (event.pointerType === "touch" && part.dataset.part === "zone" && !wasChosen) return; // it scrolls
    Object.assign(this.grip, { part: part.dataset.part, key: zone.key, corners: zone.corners });
    if (this.grip.part === "corner") this.grip.corner = Number(part.dataset.corner);
    if (this.grip.part === "edge") {
      this.grip.corner = Number(part.dataset.edge) + 1;
      const [a, b] = [zone.corners[this.grip.corner - 1], zone.corners[this.grip.corner % zone.corners.length]];
      this.grip.corners = zone.corners.toSpliced(this.grip.corner, 0, between(a, b));
    }
    event.preventDefault();
    part.focus({ preventScroll: true });
    this.board.svg.setPointerCapture(event.pointerId);
  }

  move(event) {
    const spot = this.board.spot(event);
    if (this.desk.draft) {
      if (event.pointerType === "mouse") this.desk.hover(place(spot));
      return;
    }
    const { grip } = this;
    if (!grip?.part) return;
    const [x, y] = grip.from;
    grip.moved = grip.moved || Math.hypot(event.clientX - x, event.clientY - y) >= CLICK_PIXELS;
    if (grip.moved) this.desk.drag(grip.key, this.moved(spot));
  }

  moved(spot) {
    const { grip } = this;
    const [dx, dy] = [spot[0] - grip.spot[0], spot[1] - grip.spot[1]];
    if (grip.part === "zone") return shifted(grip.corners, dx, dy);
    const [x, y] = grip.corners[grip.corner];
    return grip.corners.with(grip.corner, this.snapped([x + dx, y + dy]));
  }

  snapped(corner) {
    const box = this.board.svg.getBoundingClientRect();
    const snap = (value, size) => (value * size < EDGE_PIXELS ? 0 : (1 - value) * size < EDGE_PIXELS ? 1 : value);
    return place([snap(corner[0], box.width), snap(corner[1], box.height)]);
  }

  release(event) {
    const { grip } = this;
    this.grip = null;
    if (!grip) return;
    const [x, y] = grip.from;
    const clicked = Math.hypot(event.clientX - x, event.clientY - y) < CLICK_PIXELS;
    if (this.desk.draft) {
      if (clicked) this.desk.setCorner(this.snapped(this.board.spot(event)), CLOSE_PIXELS[event.pointerType] ?? 14);
      return;
    }
    if (!grip.part) {
      if (clicked && !event.target.closest("[data-part]")) this.desk.choose(null);
      return;
    }
    if (grip.part === "edge") this.desk.insert(grip.key, grip.corners, grip.corner, grip.moved);
    else if (grip.moved) this.desk.drop(grip.key, grip.part, grip.corner);
  }

  abandon() {
    if (this.grip?.part) this.desk.drag(this.grip.key, null);
    this.grip = null;
  }
}
