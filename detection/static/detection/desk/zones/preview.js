// Who would have triggered: the server's answer zone by zone along the day, and yesterday's ways as
// faint lines over the picture, brighter where many went.

export class Preview {
  constructor(desk, words, given) {
    Object.assign(this, { desk, words, given, ways: [], place: null });
    this.button = document.getElementById("zone-preview");
    this.result = document.getElementById("zone-result");
    this.canvas = document.getElementById("zone-paths");
    this.button.addEventListener("click", () => this.ask());
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  async ask() {
    if (this.button.disabled) return;
    this.button.disabled = true;
    this.result.hidden = false;
    this.result.setAttribute("aria-busy", "true");
    this.result.replaceChildren(element("p", "co-quiet", this.words("looking")));
    const { keeper, story } = this.desk;
    const sent = story.zones;
    const answer = await keeper.post(this.given.preview, { zones: keeper.plain() });
    this.button.disabled = false;
    this.result.removeAttribute("aria-busy");
    this.place = null;
    if (answer.ok) this.show(answer, sent);
    else {
      this.ways = [];
      this.result.replaceChildren(element("p", "co-alarming", [answer.message, ...(answer.faults ?? []).map((one) => one.message)].join(" ")));
    }
    this.paint();
  }

  show({ zones, ways, marks, notes, covered_from: from }, sent) {
    this.ways = ways;
    const kinds = Object.fromEntries(sent.map((zone) => [zone.name.trim(), zone.kind]));
    const watched = zones.filter((zone) => this.given.kinds[kinds[zone.name]]?.hours);
    this.result.replaceChildren(
      element("h2", "", this.words("would_have")),
      ...notes.map((note) => element("p", "co-quiet", note)),
      ...watched.map((zone) => this.zone(zone, kinds[zone.name], marks, from)),
    );
  }

  zone(zone, kind, marks, from) {
    const box = element("article", "zone-day");
    box.dataset.kind = kind;
    const head = element("div", "zone-day-head");
    const swatch = element("span", "zone-swatch");
    swatch.dataset.kind = kind;
    head.append(swatch, element("h3", "", zone.name), element("span", zone.triggers.length ? "zone-day-count" : "co-quiet", zone.count));
    box.append(head, this.strip(zone, marks, from));
    if (zone.left_out) box.append(element("p", "co-help", zone.left_out));
    if (zone.triggers.length) box.append(this.triggers(zone));
    return box;
  }

  strip(zone, marks, from) {
    const strip = element("div", "zone-strip");
    strip.setAttribute("aria-hidden", "true");
    if (from) {
      const unseen = element("span", "zone-strip-unseen");
      unseen.style.width = `${from * 100}%`;
      strip.append(unseen);
    }
    for (const { share, text } of marks) {
      const mark = element("span", "zone-strip-mark");
      mark.append(element("span", "", text));
      mark.style.left = `${share * 100}%`;
      strip.append(mark);
    }
    for (const trigger of zone.triggers) {
      const tick = element("span", `zone-tick${trigger.crime ? " is-crime" : ""}`);
      tick.style.left = `${trigger.share * 100}%`;
      strip.append(tick);
    }
    return strip;
  }

  triggers(zone) {
    const details = element("details", "zone-triggers");
    const list = element("ol", "zone-trigger-list");
    for (const trigger of zone.triggers) {
      const item = element("li", "");
      const button = element("button", "zone-trigger");
      button.type = "button";
      const level = element("span", `co-label ${trigger.crime ? "co-bad" : "co-warning"}`, trigger.level);
      button.append(element("span", "co-steady", trigger.at), level, element("span", "", `${trigger.what} ${trigger.confidence}`), element("span", "co-soft", `${trigger.rules} · ${trigger.lasted}`));
      button.addEventListener("click", () => this.point(trigger.place));
      item.append(button);
      list.append(item);
    }
    details.append(element("summary", "", this.words("when")), list);
    if (zone.triggers.length <= 5) details.open = true;
    return details;
  }

  point(place) {
    this.place = place;
    this.paint();
    document.getElementById("zone-stage").scrollIntoView({ block: "nearest" });
  }

  paint() {
    const { canvas } = this;
    const box = canvas.getBoundingClientRect();
    const scale = Math.min(2, window.devicePixelRatio || 1);
    canvas.width = Math.round(box.width * scale);
    canvas.height = Math.round(box.height * scale);
    const pen = canvas.getContext("2d");
    const at = ([x, y]) => [x * canvas.width, y * canvas.height];
    pen.globalCompositeOperation = "lighter"; // many faint ways make a bright one
    pen.lineJoin = pen.lineCap = "round";
    const faint = Math.min(1, 15 / (15 + this.ways.length)); // the more ways, the fainter each
    for (const [width, colour, strength] of [[10, "#f97316", 0.1], [2, "#fde047", 0.5]]) {
      pen.lineWidth = width * scale;
      pen.strokeStyle = colour;
      pen.globalAlpha = Math.max(0.012, strength * faint);
      for (const way of this.ways) {
        pen.beginPath();
        way.forEach((spot, index) => (index ? pen.lineTo(...at(spot)) : pen.moveTo(...at(spot))));
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
    if (!this.place) return;
    pen.globalCompositeOperation = "source-over";
    for (const [width, colour] of [[7, "#0f172a"], [3, "#fff"]]) {
      pen.lineWidth = width * scale;
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.arc(...at(this.place), 16 * scale, 0, 2 * Math.PI);
      pen.stroke();
    }
  }
}

function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}
