// What a shape may be: the same as detection/domain/geometry.py says, so that a person sees at
// once what the server would refuse.

export const clamp = (value) => Math.min(1, Math.max(0, value));
export const round = (value) => Math.round(value * 1e5) / 1e5;
export const place = ([x, y]) => [round(clamp(x)), round(clamp(y))];

/** Moved as a whole, as far as the picture's edge allows. */
export function shifted(corners, dx, dy) {
  const xs = corners.map(([x]) => x), ys = corners.map(([, y]) => y);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return corners.map((corner) => place([corner[0] + x, corner[1] + y]));
}

export const between = ([ax, ay], [bx, by]) => [round((ax + bx) / 2), round((ay + by) / 2)];

const side = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/** The first two edges that cross, by the numbers of their first corners; null where none do. */
export function crossing(corners) {
  const edges = corners.map((corner, index) => [corner, corners[(index + 1) % corners.length]]);
  for (let i = 0; i < edges.length; i += 1) {
    for (let j = i + 2; j < edges.length; j += 1) {
      if (i === 0 && j === edges.length - 1) continue; // neighbours around the corner
      const [[a, b], [c, d]] = [edges[i], edges[j]];
      if (side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0) return [i, j];
    }
  }
  return null;
}

function area(corners) {
  let sum = 0;
  corners.forEach(([x, y], index) => {
    const [nx, ny] = corners[(index + 1) % corners.length];
    sum += x * ny - nx * y;
  });
  return Math.abs(sum) / 2;
}

/** What is wrong with a shape: a word for the page's texts, and the edges to blame. */
export function fault(corners, isLine) {
  const count = corners.length;
  if (isLine) {
    if (count !== 2) return { word: "two_points", count };
    const [[ax, ay], [bx, by]] = corners;
    return Math.hypot(ax - bx, ay - by) < 1e-3 ? { word: "one_place" } : null;
  }
  if (count < 3) return { word: "too_few", count };
  const edges = crossing(corners);
  if (edges) return { word: "crossing", edges };
  return area(corners) < 1e-6 ? { word: "no_area" } : null;
}

/** Where a name is written: the middle of the corners. */
export function middle(corners) {
  const sum = corners.reduce(([x, y], corner) => [x + corner[0], y + corner[1]], [0, 0]);
  return [sum[0] / corners.length, sum[1] / corners.length];
}
