// The live picture of a camera. The stream's parts bring pictures, the boxes in them and their age;
// what is shown always says how old it is, and what is too old is greyed and never called live.
const LIVE_SECONDS = 2; // older is late
const OLD_SECONDS = 6; // older is not live at all
const STILL_SECONDS = 30; // a still is taken every ten seconds: an older one is not of now
const STILL_MS = 10000;
const COURSE_MS = 30000;

const seconds = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: "second", unitDisplay: "short", maximumFractionDigits: 1, minimumFractionDigits: 1 });
const unit = (name) => new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: 0 });
const ageText = (age) =>
  age < 10 ? seconds.format(age) : age < 90 ? unit("second").format(age) : age < 5400 ? unit("minute").format(age / 60) : unit("hour").format(age / 3600);

/** Splits the bytes of a multipart answer into parts, however they are cut up on their way. */
class Parts {
  #held = new Uint8Array(0);
  #head = null;

  *feed(chunk) {
    const joined = new Uint8Array(this.#held.length + chunk.length);
    joined.set(this.#held);
    joined.set(chunk, this.#held.length);
    this.#held = joined;
    for (let part = this.#next(); part; part = this.#next()) yield part;
  }

  #next() {
    if (!this.#head) {
      const end = this.#endOfHead();
      if (end < 0) return null;
      const lines = new TextDecoder().decode(this.#held.subarray(0, end)).split("\r\n").slice(1);
      this.#head = new Headers(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
      this.#held = this.#held.slice(end + 4);
    }
    const size = Number(this.#head.get("Content-Length"));
    if (this.#held.length < size + 2) return null;
    const part = { head: this.#head, body: this.#held.slice(0, size) };
    this.#held = this.#held.slice(size + 2);
    this.#head = null;
    return part;
  }

  #endOfHead() {
    const held = this.#held;
    for (let i = 0; i + 3 < held.length; i += 1) {
      if (held[i] === 13 && held[i + 1] === 10 && held[i + 2] === 13 && held[i + 3] === 10) return i;
    }
    return -1;
  }
}

/** The picture with what is drawn over it, and its age by the server's clock. */
class Screen {
  constructor(root) {
    this.frame = root.querySelector(".cam-screen");
    this.canvas = root.querySelector(".cam-picture");
    this.badge = root.querySelector(".cam-age");
    this.captured = root.querySelector(".cam-captured");
    this.texts = root.dataset;
    this.zones = JSON.parse(document.getElementById("cam-zones").textContent);
    this.showBoxes = true;
    this.showZones = false;
    this.picture = null;
    this.boxes = null;
    this.quickest = Infinity; // the least difference of the two clocks: what is more is delay
    this.isStream = false;
    setInterval(() => this.tellAge(), 250);
  }

  async show(head, body, isStream) {
    const picture = await createImageBitmap(new Blob([body], { type: "image/jpeg" }));
    const sent = Number(head.get("X-Sent-At")) * 1000;
    const difference = Date.now() - sent;
    this.quickest = Math.min(this.quickest, difference);
    this.takenAt = performance.now() - Number(head.get("X-Age-Seconds")) * 1000 - (difference - this.quickest);
    this.picture?.close();
    this.picture = picture;
    this.boxes = JSON.parse(head.get("X-Boxes") || "null");
    this.isStream = isStream;
    this.captured.textContent = head.get("X-Captured-Local");
    this.draw();
    this.tellAge();
  }

  get age() {
    return this.picture ? Math.max(0, (performance.now() - this.takenAt) / 1000) : null;
  }

  draw() {
    if (!this.picture) return;
    const { canvas, picture } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      this.frame.style.aspectRatio = `${picture.width} / ${picture.height}`;
    }
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const scale = picture.width / Math.max(1, canvas.clientWidth);
    if (this.showZones) this.zones.forEach((zone) => this.#drawZone(pen, zone, scale));
    if (this.showBoxes && this.boxes) this.boxes.forEach((box) => this.#drawBox(pen, box, scale));
  }

  #drawBox(pen, box, scale) {
    const { width, height } = this.canvas;
    const [x1, y1, x2, y2] = box.xyxy;
    const colour = box.suspect ? "#ef4444" : "#e2e8f0";
    pen.strokeStyle = colour;
    pen.lineWidth = 2 * scale;
    pen.strokeRect(x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height);
    this.#plate(pen, `${box.label} ${box.id}`, x1 * width, y1 * height, colour, box.suspect ? "#fff" : "#0f172a", scale);
  }

  #drawZone(pen, zone, scale) {
    if (!Array.isArray(zone.corners) || zone.corners.length < 2) return;
    const { width, height } = this.canvas;
    pen.beginPath();
    zone.corners.forEach(([x, y], i) => pen[i ? "lineTo" : "moveTo"](x * width, y * height));
    if (zone.corners.length > 2) pen.closePath();
    pen.strokeStyle = "#facc15";
    pen.lineWidth = 2 * scale;
    pen.stroke();
    this.#plate(pen, zone.name, zone.corners[0][0] * width, zone.corners[0][1] * height, "#facc15", "#0f172a", scale);
  }

  #plate(pen, text, x, y, colour, ink, scale) {
    const size = 12 * scale;
    pen.font = `600 ${size}px system-ui, sans-serif`;
    const wide = pen.measureText(text).width + size;
    const left = Math.max(0, Math.min(x, this.canvas.width - wide));
    const base = Math.max(y, 1.5 * size);
    pen.fillStyle = colour;
    pen.fillRect(left, base - 1.5 * size, wide, 1.5 * size);
    pen.fillStyle = ink;
    pen.fillText(text, left + size / 2, base - 0.42 * size);
  }

  tellAge() {
    const age = this.age;
    this.badge.hidden = age === null;
    if (age === null) {
      this.frame.dataset.state = "none";
      return;
    }
    const isLive = this.isStream && age < OLD_SECONDS;
    const isFresh = !this.isStream && age < STILL_SECONDS;
    this.frame.dataset.state = isLive ? (age < LIVE_SECONDS ? "live" : "late") : isFresh ? "still" : "old";
    const text = isLive ? `${this.texts.live} · %s` : isFresh ? this.texts.fresh : this.texts.old;
    this.badge.querySelector(".cam-age-text").textContent = text.replace("%s", ageText(age));
  }
}

/** Starts and ends the stream; keeps a still while there is none. */
class LiveView {
  constructor(root) {
    this.root = root;
    this.texts = root.dataset;
    this.screen = new Screen(root);
    this.said = root.querySelector(".cam-said");
    this.toggle = root.querySelector("[data-act=toggle]");
    this.stream = null;
    this.resumes = false;
    this.toggle.addEventListener("click", () => (this.stream ? this.stop(this.texts.stopped) : this.start()));
    for (const [name, field] of [["boxes", "showBoxes"], ["zones", "showZones"]]) this.#switch(name, field);
    document.addEventListener("visibilitychange", () => this.#followVisibility());
    window.addEventListener("pagehide", () => this.stream?.abort());
    window.addEventListener("resize", () => this.screen.draw());
    setInterval(() => this.still(), STILL_MS);
    this.still();
  }

  #switch(name, field) {
    const button = this.root.querySelector(`[data-act=${name}]`);
    button.addEventListener("click", () => {
      this.screen[field] = !this.screen[field];
      button.setAttribute("aria-pressed", String(this.screen[field]));
      this.screen.draw();
    });
  }

  #followVisibility() {
    if (document.hidden && this.stream) {
      this.stop("");
      this.resumes = true;
    } else if (!document.hidden && this.resumes) {
      this.start();
    } else if (!document.hidden) {
      this.still();
    }
  }

  async still() {
    if (this.stream || document.hidden) return;
    try {
      const answer = await fetch(`${this.texts.still}?if_any`, { redirect: "error", signal: AbortSignal.timeout(5000) });
      if (answer.status !== 200) return;
      const body = await answer.arrayBuffer();
      const age = Number(answer.headers.get("X-Age-Seconds"));
      const isNewer = this.screen.age === null || age < this.screen.age - 1;
      if (!this.stream && isNewer) await this.screen.show(answer.headers, body, false);
    } catch {
      // The age of what is shown goes on growing: that says it.
    }
  }

  async start() {
    const stream = new AbortController();
    this.stream = stream;
    this.resumes = false;
    this.toggle.textContent = this.texts.stop;
    this.say(this.texts.connecting);
    let why = "lost";
    try {
      const answer = await fetch(this.texts.stream, { headers: { Accept: "multipart/mixed" }, redirect: "error", signal: stream.signal });
      why = answer.ok ? await this.#follow(answer.body.getReader()) : ((await answer.json()).ended ?? "lost");
    } catch {
      // Broken or ended by us.
    }
    if (this.stream !== stream) return;
    this.stop(this.texts[why] ?? this.texts.lost);
    if (why === "limit") this.toggle.textContent = this.texts.again;
  }

  async #follow(reader) {
    const parts = new Parts();
    let waited = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return "lost";
      for (const { head, body } of parts.feed(value)) {
        if (head.get("Content-Type") === "image/jpeg") {
          waited = 0;
          await this.screen.show(head, body, true);
          this.say("");
        } else {
          const { ended } = JSON.parse(new TextDecoder().decode(body));
          if (ended) return ended;
          waited += 1;
          if (waited > 3) this.say(this.texts.waiting);
        }
      }
    }
  }

  stop(text) {
    this.stream?.abort();
    this.stream = null;
    this.resumes = false;
    this.screen.isStream = false;
    this.screen.tellAge();
    this.toggle.textContent = this.texts.start;
    this.say(text);
  }

  say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }
}

const renewCourse = async (course) => {
  if (document.hidden || course.contains(document.activeElement)) return;
  try {
    const answer = await fetch(course.dataset.url, { redirect: "error", signal: AbortSignal.timeout(10000) });
    if (!answer.ok) return;
    const open = [...course.querySelectorAll("details")].map((part) => part.open);
    course.innerHTML = await answer.text(); // escaped by the server, as in the page itself
    course.querySelectorAll("details").forEach((part, i) => (part.open = open[i] ?? false));
  } catch {
    // The status line of the figures says that the server does not answer.
  }
};

const root = document.getElementById("cam-live");
if (root) new LiveView(root);
const course = document.getElementById("cam-course");
if (course) setInterval(() => renewCourse(course), COURSE_MS);
