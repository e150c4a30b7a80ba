// The buttons under the picture; which layers, which speed and whether it loops is remembered.

const REMEMBERED = "crimeops.episode";

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(REMEMBERED)) ?? {};
  } catch {
    return {}; // switched off, or not ours
  }
}

/** A choice that outlives the page. */
export function remember(name, value) {
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify({ ...remembered(), [name]: value }));
  } catch {
    // a browser that keeps nothing: the choice holds for this page
  }
}

export const recall = (name, otherwise) => remembered()[name] ?? otherwise;

/** A button that is on or off, remembered under its name. */
export function toggle(button, name, otherwise, act) {
  const set = (on) => {
    button.setAttribute("aria-pressed", on);
    act(on);
  };
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    remember(name, on);
    set(on);
  });
  set(recall(name, otherwise));
}

export function wireControls(film) {
  const { root, player, timeline, overlay } = film;
  const find = (name) => root.querySelector(`[data-do=${name}]`);
  const on = (name, act) => find(name).addEventListener("click", act);
  on("play", () => player.toggle());
  on("back", () => player.step(-1));
  on("forward", () => player.step(1));
  on("zoom-in", () => timeline.zoom(0.5));
  on("zoom-out", () => timeline.zoom(2));
  on("whole", () => timeline.zoomOut());
  root.querySelector("[data-stage]").addEventListener("click", () => player.toggle());
  on("full", () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()));
  find("full").hidden = !document.fullscreenEnabled;

  for (const layer of ["boxes", "labels", "zones"]) {
    toggle(find(layer), layer, true, (shown) => overlay.show(layer, shown));
  }
  const loop = find("loop");
  loop.addEventListener("click", () => {
    const wanted = !player.isLooping;
    loop.setAttribute("aria-pressed", wanted);
    player.loop(wanted);
    if (wanted && !player.isPlaying) player.toggle();
  });

  const speed = find("speed");
  speed.value = String(recall("speed", 1));
  if (speed.selectedIndex < 0) speed.value = "1";
  const setSpeed = () => {
    player.video.defaultPlaybackRate = player.video.playbackRate = Number(speed.value);
  };
  speed.addEventListener("change", () => {
    remember("speed", Number(speed.value));
    setSpeed();
  });
  setSpeed();

  const play = find("play");
  player.addEventListener("change", () => {
    play.setAttribute("aria-label", player.isPlaying ? play.dataset.pause : play.dataset.play);
  });
}
