// The zone editor: what is drawn, chosen and kept. The board draws, hands and keys touch, the panel
// tells; every change goes through here.
import { Board } from "./zones/board.js";
import { between, clamp, fault, place, shifted } from "./zones/geometry.js";
import { askForFile, zonesOf } from "./zones/file.js";
import { Hands } from "./zones/hands.js";
import { Keeper } from "./zones/keeping.js";
import { listen } from "./zones/keys.js";
import { Panel, withOption } from "./zones/panel.js";
import { Preview } from "./zones/preview.js";
import { Story } from "./zones/story.js";
import { showPicture } from "./zones/picture.js";
import { listenToZoom } from "./zones/zoom.js";

const page = document.getElementById("zone-desk");
const given = JSON.parse(document.getElementById("zone-given").textContent);
const words = (word, values = {}) =>
  (given.words[word] ?? word).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

let fresh = 0;
const keyed = (zone) => ({ ...zone, key: `z${(fresh += 1)}` });

class Desk {
  constructor() {
    this.may = given.may;
    this.chosen = null;
    this.draft = null;
    this.dragged = null;
    this.story = new Story(given.zones.map(keyed));
    this.kindToDraw = "restricted";
    this.keeper = new Keeper(this, words, given);
    this.board = new Board(document.getElementById("zone-board"), words, given.kinds);
    this.panel = new Panel(this, words, given.kinds);
    this.preview = new Preview(this, words, given);
    this.stage = document.getElementById("zone-stage");
    this.hands = new Hands(this.board, this);
    listen(this, this.stage);
    this.listen();
    showPicture(given.pictures, this.board, () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.board.svg);
    this.draw();
  }

  get zones() {
    const { dragged } = this;
    if (!dragged) return this.story.zones;
    return this.story.zones.map((zone) => (zone.key === dragged.key ? { ...zone, corners: dragged.corners } : zone));
  }

  zone(key) {
    return this.story.zones.find((zone) => zone.key === key);
  }

  mayEdit(zone) {
    return zone.id ? this.may.change : this.may.add;
  }

  // --- what is wrong, as the server would see it -----------------------------------------------

  faults() {
    const found = new Map();
    const names = new Set();
    for (const zone of this.zones) {
      const shape = fault(zone.corners, given.kinds[zone.kind].line);
      const messages = shape ? [words(shape.word, shape)] : [];
      const name = zone.name.trim();
      const fields = {};
      if (!name || names.has(name)) fields.name = words(name ? "same_name" : "no_name");
      names.add(name);
      const refused = this.keeper.refused.get(zone.key);
      const said = refused?.zone === zone ? refused : { messages: [], fields: {} };
      Object.assign(fields, said.fields);
      const all = [...messages, ...(fields.name ? [fields.name] : []), ...said.messages];
      if (all.length || Object.keys(fields).length) {
        found.set(zone.key, { messages: [...new Set(all)], fields, edges: shape?.edges });
      }
    }
    return found;
  }

  // --- changes ---------------------------------------------------------------------------------

  change(zones, tag) {
    this.story.change(zones, tag);
    this.draw();
  }

  set(key, changes, tag) {
    if (!this.zone(key)) return;
    this.change(this.story.zones.map((zone) => (zone.key === key ? { ...zone, ...changes } : zone)), tag);
  }

  setKind(key, kind) {
    const hours = given.kinds[kind].hours;
    this.set(key, hours ? { kind } : { kind, schedule: null });
  }

  setOption(key, option, value) {
    const zone = this.zone(key);
    if (zone) this.set(key, { settings: withOption(zone.settings, option, value) }, `option:${key}:${option}`);
  }

  choose(key, toForm = false) {
    if (this.chosen !== key) {
      this.chosen = key;
      this.draw();
    }
    if (key && toForm) this.panel.fields.name.focus();
  }

  drag(key, corners) {
    this.dragged = corners && { key, corners };
    this.draw();
  }

  drop(key, part, corner) {
    const { dragged } = this;
    this.dragged = null;
    if (!dragged) return;
    this.set(key, { corners: dragged.corners });
    this.tell("moved", percent(dragged.corners[corner ?? 0]));
  }

  insert(key, corners, corner, wasMoved) {
    const moved = wasMoved && this.dragged ? this.dragged.corners : corners;
    this.dragged = null;
    this.set(key, { corners: moved });
    this.tell("corner_added", { count: moved.length });
    this.board.focus(`grip:${corner}`);
  }

  nudge(key, corner, dx, dy) {
    const zone = this.zone(key);
    if (!zone || !this.mayEdit(zone)) return;
    const corners = corner === null ? shifted(zone.corners, dx, dy)
      : zone.corners.with(corner, place([zone.corners[corner][0] + dx, zone.corners[corner][1] + dy]));
    this.set(key, { corners }, `move:${key}:${corner}`);
    this.tell("moved", percent(corners[corner ?? 0]));
  }

  split(key, corner) {
    const zone = this.zone(key);
    if (!zone || !this.mayEdit(zone) || given.kinds[zone.kind].line) return;
    const next = zone.corners[(corner + 1) % zone.corners.length];
    this.insert(key, zone.corners.toSpliced(corner + 1, 0, between(zone.corners[corner], next)), corner + 1, false);
  }

  /** A corner, or without one the whole zone. */
  remove(key, corner = null) {
    const zone = this.zone(key);
    if (!zone) return;
    if (corner === null) {
      if (zone.id && !this.may.delete) return;
      const index = this.story.zones.indexOf(zone);
      this.chosen = null;
      this.change(this.story.zones.filter((one) => one !== zone));
      this.tell("removed", { name: zone.name });
      const next = this.story.zones[Math.min(index, this.story.zones.length - 1)];
      if (next) this.board.focus(`${next.key}:shape`);
      else this.stage.focus();
      return;
    }
    const fewest = given.kinds[zone.kind].line ? 2 : 3;
    if (!this.mayEdit(zone)) return;
    if (zone.corners.length <= fewest) {
      this.tell(fewest === 2 ? "two_points" : "too_few", { count: zone.corners.length - 1 });
      return;
    }
    const corners = zone.corners.toSpliced(corner, 1);
    this.set(key, { corners });
    this.tell("corner_removed", { count: corners.length });
    this.board.focus(`grip:${Math.min(corner, corners.length - 1)}`);
  }

  flip(key) {
    const zone = this.zone(key);
    if (!zone || !given.kinds[zone.kind].line || !this.mayEdit(zone)) return;
    this.set(key, { corners: zone.corners.toReversed() });
    this.tell("flipped", { name: zone.name });
  }

  undo() {
    this.cancel(true);
    this.tell(this.story.undo() ? "undone" : "nothing_to_undo");
    this.forgetGone();
  }

  redo() {
    this.cancel(true);
    this.tell(this.story.redo() ? "redone" : "nothing_to_redo");
    this.forgetGone();
  }

  forgetGone() {
    if (!this.zone(this.chosen)) this.chosen = null;
    this.draw();
  }

  // --- drawing a new zone ----------------------------------------------------------------------

  begin(kind, byKey = false) {
    if (!this.may.add) return;
    this.kindToDraw = kind ?? this.kindToDraw;
    this.chosen = null;
    this.draft = { kind: this.kindToDraw, corners: [], cursor: byKey ? [0.5, 0.5] : null, byKey };
    this.draw();
    this.tell(given.kinds[this.kindToDraw].line ? "drawing_line" : "drawing", { kind: given.kinds[this.kindToDraw].label });
    if (byKey) this.stage.focus();
  }

  hover(spot) {
    if (!this.draft || (this.draft.byKey && !spot)) return;
    this.draft = { ...this.draft, cursor: spot, byKey: false };
    this.draw();
  }

  moveCursor(dx, dy) {
    const [x, y] = this.draft.cursor ?? [0.5, 0.5];
    this.draft = { ...this.draft, cursor: place([x + dx, y + dy]), byKey: true };
    this.draw();
    this.tell("pointer_at", percent(this.draft.cursor));
  }

  setCorner(spot, closePixels) {
    const { corners, kind } = this.draft;
    const near = (corner, pixels) => corner && this.board.pixels(corner, spot) <= pixels;
    if (corners.length >= 3 && (near(corners[0], closePixels) || near(corners.at(-1), 4))) return this.close();
    if (near(corners.at(-1), 1)) return undefined; // the second half of a double click
    this.draft = { ...this.draft, corners: [...corners, place(spot)] };
    if (given.kinds[kind].line && this.draft.corners.length === 2) return this.close();
    this.draw();
    return this.tell("corner_set", { number: this.draft.corners.length, ...percent(spot) });
  }

  unsetCorner() {
    this.draft = { ...this.draft, corners: this.draft.corners.slice(0, -1) };
    this.draw();
    this.tell("corner_removed", { count: this.draft.corners.length });
  }

  close() {
    const { kind, corners } = this.draft;
    const { line, label } = given.kinds[kind];
    const wrong = fault(corners, line);
    if (wrong && wrong.word !== "crossing") return this.tell(wrong.word, wrong);
    const zone = keyed({ id: null, name: this.freeName(label), kind, corners, enabled: true, schedule: null, settings: {} });
    this.draft = null;
    this.chosen = zone.key;
    this.change([...this.story.zones, zone]);
    this.tell(wrong ? wrong.word : "closed", { name: zone.name });
    return this.board.focus(`${zone.key}:shape`);
  }

  cancel(silently = false) {
    if (!this.draft) return;
    this.draft = null;
    this.draw();
    if (!silently) this.tell("cancelled");
  }

  freeName(kind) {
    const names = new Set(this.story.zones.map((zone) => zone.name.trim()));
    for (let number = 1; ; number += 1) {
      const name = words("new_name", { kind, number });
      if (!names.has(name)) return name;
    }
  }

  // --- telling ---------------------------------------------------------------------------------

  tell(word, values) {
    document.getElementById("zone-aloud").textContent = words(word, values);
  }

  say(text, tone = "") {
    const status = document.getElementById("zone-status");
    status.textContent = given.words[text] ? words(text) : text;
    status.dataset.tone = tone;
    this.said = Boolean(tone);
  }

  draw() {
    const faults = this.faults();
    const { zones, chosen, draft } = this;
    const zone = this.zone(chosen);
    this.board.draw({ zones, chosen, draft, faults, mayEdit: Boolean(zone) && this.mayEdit(zone) });
    this.panel.draw({ zones, chosen, faults });
    this.drawState(faults);
  }

  drawState(faults) {
    const { story } = this;
    document.getElementById("zone-save").disabled = this.keeper.isSaving || story.isSaved || faults.size > 0;
    document.getElementById("zone-undo").disabled = !story.past.length;
    document.getElementById("zone-redo").disabled = !story.future.length;
    for (const button of document.querySelectorAll("[data-draw]")) {
      button.setAttribute("aria-pressed", this.draft?.kind === button.dataset.draw);
    }
    document.getElementById("zone-drawing").hidden = !this.draft;
    if (this.draft) {
      const { corners, kind } = this.draft;
      const word = given.kinds[kind].line ? "drawing_line" : corners.length ? "drawing_more" : "drawing";
      document.getElementById("zone-drawing-text").textContent = words(word, { count: corners.length, kind: given.kinds[kind].label });
    }
    if (this.keeper.isSaving) return;
    if (faults.size) this.say(words("wrong", { count: faults.size }));
    else if (!story.isSaved && !(this.said && document.getElementById("zone-status").dataset.tone === "bad")) this.say("unsaved");
    else if (story.isSaved && !this.said) this.say("all_saved");
  }

  listen() {
    const on = (id, act) => document.getElementById(id)?.addEventListener("click", act);
    on("zone-save", () => this.keeper.save());
    on("zone-undo", () => this.undo());
    on("zone-redo", () => this.redo());
    on("zone-cancel", () => this.cancel());
    on("zone-close", () => this.close());
    on("zone-theirs", () => {
      this.leaves = true;
      location.reload();
    });
    for (const button of document.querySelectorAll("[data-draw]")) {
      button.addEventListener("click", (event) => this.begin(button.dataset.draw, event.detail === 0));
    }
    listenToZoom(this.stage, () => this.draw());
    this.stage.addEventListener("focusin", (event) => {
      const part = event.target.closest("[data-zone]");
      if (part && !this.draft) this.choose(part.dataset.zone);
    });
    on("zone-import", () => askForFile((file) => this.read(file)));
    window.addEventListener("beforeunload", (event) => {
      if (!this.story.isSaved && !this.leaves) event.preventDefault();
    });
  }

  /** Zones of a file: one of a name that is there takes its place. */
  async read(file) {
    try {
      const found = await zonesOf(file, given.kinds);
      const names = new Set(found.map((zone) => zone.name));
      const kept = this.story.zones.filter((zone) => !names.has(zone.name));
      const same = Object.fromEntries(this.story.zones.map(({ name, id, key }) => [name, { id, key }]));
      this.chosen = null;
      this.change([...kept, ...found.map((zone) => (same[zone.name] ? { ...zone, ...same[zone.name] } : keyed(zone)))]);
      this.say(words("imported", { count: found.length }), "good");
    } catch {
      this.say(words("import_failed"), "bad");
    }
  }
}

const percent = ([x, y]) => ({ x: Math.round(clamp(x) * 100), y: Math.round(clamp(y) * 100) });

if (page) new Desk();
