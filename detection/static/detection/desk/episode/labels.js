// Where the labels of marks stand, so that none covers another. Pure.

const GAP = 6; // pixels between two labels of a row

/** For marks at `x` of `width` pixels each: `{ left, row }`, within 0..`room`, and how many rows. */
export function placeLabels(marks, room) {
  const ends = []; // of each row, where its last label ends
  const places = marks.map(({ x, width }) => {
    const left = Math.max(0, Math.min(x, room - width));
    let row = ends.findIndex((end) => end + GAP <= left);
    if (row < 0) row = ends.length;
    ends[row] = left + width;
    return { left, row };
  });
  return { places, rows: ends.length };
}

const STEPS = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Round seconds between `from` and `to`, at least `apart` of them between two. */
export function ticks(from, to, most) {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? STEPS.at(-1);
  const found = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) found.push(tick);
  return found;
}
