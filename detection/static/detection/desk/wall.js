// Renews the wall: one request for all states, then the pictures of the tiles in view that are newer.
// Where the server falls silent the whole wall says so and turns grey.
const PERIOD_MS = 4000;
const SILENT_MS = 12000;
const PICTURES_AT_ONCE = 4;
const PICTURE_PAUSE_MS = 120; // at most 8 pictures a second, however large the wall is
const DENSE_PX = 190;
const TINY_PX = 150;
const WORDS_PX = { roomy: 84, tiny: 32 }; // what stands below a picture, and the gap
const KEPT = "crimeops-wall";

const wall = document.getElementById("wall");
const tiles = document.getElementById("wall-tiles");
const blank = document.getElementById("wall-tile");
const part = (tile, name) => tile.querySelector(`.wall-${name}`);
const all = () => [...tiles.children];

// --- states --------------------------------------------------------------------------------------

let heard = performance.now();
let order = null;

const show = (text) => {
  const alarm = document.getElementById("wall-alarm");
  if (alarm.textContent !== text) alarm.textContent = text;
  alarm.hidden = text === "";
  wall.classList.toggle("wall-silent", text !== "");
};

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const paint = (tile, state) => {
  const classes = ["wall-tile", `wall-${state.tone}`];
  if (state.episode) classes.push("wall-open");
  if (state.is_old) classes.push("wall-old");
  if (tile.className !== classes.join(" ")) tile.className = classes.join(" ");
  tile.dataset.urgency = state.urgency;
  tile.dataset.newest = state.still_at ?? "";
  write(part(tile, "name"), state.name);
  const word = part(tile, "state");
  word.className = `wall-state co-label co-${state.tone}`;
  write(word, state.state);
  write(part(tile, "remark"), state.remark);
  part(tile, "remark").title = state.remark;
  write(part(tile, "age"), state.picture);
  write(part(tile, "armed"), state.armed);
  const episode = part(tile, "episode");
  write(episode, state.episode);
  episode.href = state.episode_url;
  episode.hidden = !state.episode;
};

const added = (state) => {
  const tile = blank.content.firstElementChild.cloneNode(true);
  tile.dataset.camera = state.id;
  tile.dataset.still = state.still_url;
  part(tile, "link").href = state.url;
  tiles.append(tile);
  inView.observe(tile);
  return tile;
};

// Moves a tile only where its place has changed, and leaves the focus where it was.
const arrange = (states) => {
  const wanted = [...states];
  if (chosen.order === "name") wanted.sort((a, b) => a.name.localeCompare(b.name) || a.id - b.id);
  const key = wanted.map((state) => state.id).join();
  if (key === order) return;
  order = key;
  const byCamera = new Map(all().map((tile) => [Number(tile.dataset.camera), tile]));
  const focused = document.activeElement;
  wanted.forEach((state, place) => {
    const tile = byCamera.get(state.id);
    if (tiles.children[place] !== tile) tiles.insertBefore(tile, tiles.children[place] ?? null);
  });
  if (focused !== document.activeElement && tiles.contains(focused)) focused.focus({ preventScroll: true });
};

let states = [];

const take = (answer) => {
  states = answer.tiles;
  const byCamera = new Map(all().map((tile) => [Number(tile.dataset.camera), tile]));
  for (const state of states) {
    paint(byCamera.get(state.id) ?? added(state), state);
    byCamera.delete(state.id);
  }
  for (const gone of byCamera.values()) gone.remove();
  arrange(states);
  write(document.getElementById("wall-summary"), answer.summary);
  write(document.getElementById("wall-at"), answer.at);
  const pictures = document.getElementById("wall-pictures");
  write(pictures, answer.pictures);
  pictures.hidden = !answer.pictures;
};

const silent = () => show(`${wall.dataset.silent} ${document.getElementById("wall-at").textContent}.`);

const renew = async () => {
  if (document.hidden) return;
  try {
    const signal = AbortSignal.timeout(PERIOD_MS * 2);
    const response = await fetch(wall.dataset.states, { redirect: "manual", signal });
    if (response.type === "opaqueredirect") return show(wall.dataset.loggedOut);
    if (response.status === 403) return show(wall.dataset.ended);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer = await response.json();
    heard = performance.now();
    show("");
    if (!tiles !== !answer.tiles.length) return location.reload(); // the first camera, or the last
    if (tiles) take(answer);
    renewPictures();
  } catch (error) {
    if (performance.now() - heard > SILENT_MS || !(error instanceof DOMException)) silent();
  }
};

// --- pictures ------------------------------------------------------------------------------------

const seen = new Set();
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) seen.add(target);
    else seen.delete(target);
  }
  renewPictures();
}, { rootMargin: "100px" });

let loading = 0;
let resting = false;

const isBehind = (tile) => tile.dataset.newest && tile.dataset.newest !== tile.dataset.shown && tile.isConnected;

// The tile that was renewed longest ago comes first.
const next = () => [...seen].filter((tile) => isBehind(tile) && !tile.dataset.loads)
  .sort((a, b) => Number(a.dataset.shown ?? 0) - Number(b.dataset.shown ?? 0))[0];

function renewPictures() {
  if (resting || document.hidden || loading >= PICTURES_AT_ONCE) return;
  const tile = next();
  if (!tile) return;
  resting = true;
  setTimeout(() => { resting = false; renewPictures(); }, PICTURE_PAUSE_MS);
  load(tile);
}

const load = async (tile) => {
  const taken = tile.dataset.newest;
  loading += 1;
  tile.dataset.loads = "1";
  const picture = new Image();
  picture.alt = "";
  picture.src = `${tile.dataset.still}?at=${taken}`;
  try {
    await picture.decode();
    part(tile, "picture").querySelector("img")?.remove();
    part(tile, "picture").append(picture);
  } catch {
    // It is gone or torn: the next one comes, and the tile says how old its picture is.
  }
  tile.dataset.shown = taken;
  delete tile.dataset.loads;
  loading -= 1;
  renewPictures();
};

// --- how it is shown -----------------------------------------------------------------------------

const chosen = { order: "trouble", columns: "" };

const keep = () => {
  try { localStorage.setItem(KEPT, JSON.stringify(chosen)); } catch { /* a private window */ }
};

const recall = () => {
  try { Object.assign(chosen, JSON.parse(localStorage.getItem(KEPT) ?? "{}")); } catch { /* broken: as if none */ }
};

// In full screen as many columns as show every tile at once, the largest tiles that do.
const fitting = () => {
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const count = tiles.children.length;
  for (let columns = 1; columns < 12; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tile = width / columns;
    const words = tile < TINY_PX ? WORDS_PX.tiny : WORDS_PX.roomy;
    if (rows * ((tile * 9) / 16 + words) <= height - 70) return columns;
  }
  return 12;
};

const lay = () => {
  const columns = chosen.columns || (document.fullscreenElement ? String(fitting()) : "");
  const isPhone = document.documentElement.clientWidth < 640;
  const used = isPhone && !chosen.columns ? "2" : columns;
  tiles.style.setProperty("--wall-columns", used || "auto-fill");
  tiles.style.setProperty("--wall-least", used ? "0px" : "13rem");
  const width = tiles.firstElementChild?.clientWidth ?? DENSE_PX;
  tiles.classList.toggle("wall-dense", width < DENSE_PX);
  tiles.classList.toggle("wall-tiny", width < TINY_PX);
};

const control = (name, element) => {
  element.value = chosen[name];
  element.addEventListener("change", () => {
    chosen[name] = element.value;
    keep();
    lay();
    arrange(states);
  });
};

document.getElementById("wall-station")?.addEventListener("change", (event) => event.target.form.submit());

if (tiles) {
  recall();
  control("order", document.getElementById("wall-order"));
  control("columns", document.getElementById("wall-columns"));
  const full = document.getElementById("wall-full");
  full.hidden = !document.fullscreenEnabled;
  full.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : wall.requestFullscreen()));
  document.addEventListener("fullscreenchange", lay);
  new ResizeObserver(lay).observe(wall);
  for (const tile of all()) inView.observe(tile);
  lay();
}
setInterval(renew, PERIOD_MS);
setInterval(() => { if (!document.hidden && performance.now() - heard > SILENT_MS) silent(); }, 1000);
document.addEventListener("visibilitychange", renew);
renew();
