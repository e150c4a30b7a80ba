// All states of the drawing since the page was loaded, so that each step can be undone.

export class Story {
  constructor(zones) {
    this.zones = zones; // never changed in place: each state is an array of its own
    this.past = [];
    this.future = [];
    this.tag = "";
    this.saved = JSON.stringify(zones);
  }

  /** Steps with the same tag, one after the other, are undone together. */
  change(zones, tag = "") {
    if (!tag || tag !== this.tag) this.past.push(this.zones);
    this.zones = zones;
    this.future = [];
    this.tag = tag;
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.zones);
    this.zones = this.past.pop();
    this.tag = "";
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.zones);
    this.zones = this.future.pop();
    this.tag = "";
    return true;
  }

  /** The server keeps the zones that were sent; `numbers` are their ids, by key. */
  keep(sent, numbers) {
    const known = (zones) => zones.map((zone) => ({ ...zone, id: numbers[zone.key] ?? null }));
    this.zones = known(this.zones);
    this.past = this.past.map(known);
    this.future = this.future.map(known);
    this.saved = JSON.stringify(known(sent)); // not what was drawn meanwhile
    this.tag = "";
  }

  get isSaved() {
    return JSON.stringify(this.zones) === this.saved;
  }
}
