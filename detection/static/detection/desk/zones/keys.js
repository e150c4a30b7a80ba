// The keyboard on the board: whatever a mouse can do.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function listen(desk, stage) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    const isText = typing && !["checkbox", "radio"].includes(typing.type);
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z" && !isText) {
      event.preventDefault();
      if (event.shiftKey) desk.redo();
      else desk.undo();
    } else if (command && event.key.toLowerCase() === "y" && !isText) {
      event.preventDefault();
      desk.redo();
    } else if (command || event.altKey || typing) {
      return;
    } else if (event.key === "n" && !desk.draft) {
      event.preventDefault();
      desk.begin(null, true);
    } else if (stage.contains(event.target) || desk.draft) {
      if (desk.draft ? draw(desk, event) : edit(desk, event)) event.preventDefault();
    }
  });
}

function draw(desk, event) {
  const onBoard = !event.target.closest("button, a, summary");
  const step = STEPS[event.key];
  if (step) desk.moveCursor(...step.map((way) => way * (event.shiftKey ? 0.05 : 0.01)));
  else if (event.key === " " && onBoard) desk.setCorner(desk.draft.cursor ?? [0.5, 0.5], 0);
  else if (event.key === "Enter" && onBoard) desk.close();
  else if (event.key === "Escape") desk.cancel();
  else if (event.key === "Backspace" || event.key === "Delete") desk.unsetCorner();
  else return false;
  return true;
}

function edit(desk, event) {
  const part = event.target.closest?.("[data-part]");
  if (event.key === "Escape") {
    desk.choose(null);
    return true;
  }
  if (!part) return false;
  const { zone, corner } = part.dataset;
  const index = corner === undefined ? null : Number(corner);
  const step = STEPS[event.key];
  if (step) desk.nudge(zone, index, ...step.map((way) => way * (event.shiftKey ? 0.05 : 0.01)));
  else if (event.key === "Delete" || event.key === "Backspace") desk.remove(zone, index);
  else if (event.key === "Insert" || event.key === "+") desk.split(zone, index ?? 0);
  else if (event.key === "f") desk.flip(zone);
  else if (event.key === "Enter" || event.key === " ") desk.choose(zone, true);
  else return false;
  return true;
}
