// The clip: playing, seeking, single frames, speed, the loop of the peak.
//
// Seconds are those since the first suspicious frame. A Player says `frame` when another one is
// shown (`detail`: its second), `change` when anything else about it did.

const LEAD = 3; // seconds before the first suspicious frame at which one begins to look
const AROUND_PEAK = 2; // seconds of the loop before and after it
const USUAL_FRAME = 1 / 25;
const LONGEST_FRAME = 2;
const PATIENCE = 150; // milliseconds in which a frame that was sought is shown
const SAME = 0.005; // seconds between two frames that are one
const INTO_FRAME = 0.001; // a seek to a frame's very edge may show the one before

export class Player extends EventTarget {
  constructor(video) {
    super();
    this.video = video;
    this.offset = 0;
    this.second = -LEAD;
    this.peak = 0;
    this.isLooping = false;
    this.frame = USUAL_FRAME;
    this.shown = null; // media time of the frame on the screen; null while the still is there
    for (const event of ["play", "pause", "ended", "ratechange", "loadedmetadata", "waiting", "playing"]) {
      video.addEventListener(event, () => this.#changed());
    }
    video.addEventListener("error", () => video.getAttribute("src") && this.#say("broken"));
    if ("requestVideoFrameCallback" in video) this.#watchFrames();
    else video.addEventListener("timeupdate", () => this.#see(video.currentTime));
  }

  /** Take the clip of these facts. */
  load({ url, began }, episodeBegan, peak) {
    this.offset = began === null ? 0 : began - episodeBegan;
    this.peak = peak;
    this.second = Math.max(this.start, -LEAD);
    this.shown = null;
    this.isAsked = false;
    if (this.video.getAttribute("src") !== url) this.video.src = url; // else the page began to load it
    if (this.video.error) this.#say("broken");
    this.#changed();
  }

  get isReady() {
    return this.video.readyState > 0 && this.video.error === null;
  }

  get start() {
    return this.offset;
  }

  get end() {
    return this.offset + (this.isReady ? this.video.duration : 0);
  }

  get isPlaying() {
    return !this.video.paused && !this.video.ended;
  }

  /** Show the frame of this second, or the nearest that there is. */
  seek(second) {
    this.second = second;
    this.isAsked = true;
    if (this.isReady) {
      const last = Math.max(0, this.video.duration - this.frame / 2);
      this.video.currentTime = Math.min(Math.max(0, second - this.offset), last);
      this.second = this.video.currentTime + this.offset;
    }
    this.#changed();
  }

  async toggle() {
    if (!this.isReady) return;
    if (this.isPlaying) return void this.video.pause();
    if (this.shown === null) this.seek(this.second);
    await this.video.play().catch(() => {}); // ended by a pause, or the error event says why
  }

  /** One frame on or back. How long a frame is, is guessed, further and further, until one is met. */
  async step(direction) {
    if (!this.isReady) return;
    this.video.pause();
    const from = this.shown ?? this.second - this.offset;
    for (let guess = this.frame; guess < LONGEST_FRAME; guess *= 1.6) {
      const met = this.#otherThan(from);
      this.seek(from + direction * guess + INTO_FRAME + this.offset);
      if (await met) return;
    }
  }

  /** Whether another frame than this is shown within a moment. */
  #otherThan(mediaTime) {
    return new Promise((met) => {
      const stop = (found) => {
        clearTimeout(late);
        this.removeEventListener("frame", look);
        met(found);
      };
      const look = () => Math.abs(this.shown - mediaTime) > SAME && stop(true);
      const late = setTimeout(stop, PATIENCE, false);
      this.addEventListener("frame", look);
    });
  }

  loop(on) {
    this.isLooping = on;
    if (on) this.seek(this.peak - AROUND_PEAK);
    this.#changed();
  }

  #watchFrames() {
    const seen = (_, { mediaTime }) => {
      this.#learnPace(mediaTime);
      this.#see(mediaTime);
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  #learnPace(mediaTime) {
    const passed = mediaTime - (this.shown ?? mediaTime);
    if (passed < SAME || passed > 0.25) return;
    // While it plays a frame may be left out; so a shorter pace is believed at once, a longer slowly.
    this.frame = passed < this.frame ? passed : this.frame + 0.1 * (passed - this.frame);
  }

  #see(mediaTime) {
    // The first frame is decoded behind the still; it is shown when somebody asks for it.
    if (this.shown === null && mediaTime === 0 && !this.isAsked && !this.isPlaying) return;
    this.shown = mediaTime;
    this.second = mediaTime + this.offset;
    if (this.isLooping && this.isPlaying && this.second > this.peak + AROUND_PEAK) {
      this.seek(this.peak - AROUND_PEAK);
    }
    this.#say("frame", this.second);
  }

  #changed() {
    this.#say("change");
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
