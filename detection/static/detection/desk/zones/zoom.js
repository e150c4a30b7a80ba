// Larger and smaller: the picture grows within its frame, about the middle of what is seen.

const LEVELS = [1, 1.5, 2, 3, 4];

export function listenToZoom(stage, drawn) {
  const sheet = document.getElementById("zone-sheet");
  let level = 0;
  const zoom = (step) => {
    level = step === 0 ? 0 : Math.min(LEVELS.length - 1, Math.max(0, level + step));
    const x = (stage.scrollLeft + stage.clientWidth / 2) / stage.scrollWidth;
    const y = (stage.scrollTop + stage.clientHeight / 2) / stage.scrollHeight;
    sheet.style.width = `${LEVELS[level] * 100}%`;
    stage.scrollTo(x * stage.scrollWidth - stage.clientWidth / 2, y * stage.scrollHeight - stage.clientHeight / 2);
    document.getElementById("zone-zoomed").textContent = `${LEVELS[level] * 100} %`;
    drawn();
  };
  for (const [id, step] of [["zone-in", 1], ["zone-out", -1], ["zone-fit", 0]]) {
    document.getElementById(id).addEventListener("click", () => zoom(step));
  }
}
