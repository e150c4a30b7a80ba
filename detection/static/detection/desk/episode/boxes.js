// What a recording says of a moment: who stood where, and what each rule held of it. Pure.
//
// Times here are seconds since the episode's first suspicious frame.

const LONGEST_GAP = 2; // seconds between two analysed frames, across which nobody guesses
const AFTERGLOW = 0.12; // a box stays this long after the last frame in which its track was seen

/** A recording's JSON, made fit for looking up. Throws where it is no recording. */
export function readRecording(file, began) {
  const start = Date.parse(file.began_at) / 1000 - began;
  if (!Number.isFinite(start) || !Array.isArray(file.moments) || file.moments.length === 0) {
    throw new TypeError("no recording");
  }
  const moments = file.moments.map((moment) => {
    if (!Number.isFinite(moment.at)) throw new TypeError("a moment without a time");
    return {
      at: start + moment.at,
      tracks: new Map((moment.tracks ?? []).map(([id, ...track]) => [id, track])),
      held: moment.held ?? [],
    };
  });
  return { start, end: moments.at(-1).at, isLate: !!file.is_late, isCut: !!file.is_cut, moments };
}

/** The index of the last moment at or before the second; -1 before all of them. */
export function indexAt(moments, second) {
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle].at <= second + 1e-4) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Each box of a second: between two analysed frames on its way, and none where its track ended. */
export function boxesAt(moments, second) {
  const index = indexAt(moments, second);
  if (index < 0) return [];
  const [now, next] = [moments[index], moments[index + 1]];
  const since = second - now.at;
  const gap = next ? next.at - now.at : Infinity;
  const suspects = new Set(now.held.flatMap(([, , , ids]) => ids));
  const boxes = [];
  for (const [id, [label, confidence, ...box]] of now.tracks) {
    const then = gap <= LONGEST_GAP ? next.tracks.get(id) : undefined;
    if (then === undefined && since > AFTERGLOW) continue;
    const share = then === undefined ? 0 : since / gap;
    const edges = box.map((edge, at) => edge + share * ((then?.[at + 2] ?? edge) - edge));
    boxes.push({ id, label, confidence, box: edges, isSuspect: suspects.has(id) });
  }
  return boxes.sort((one, other) => one.isSuspect - other.isSuspect); // suspects over the others
}

/** What the rules held at a second, the surest first: rule, crime, confidence, reason. */
export function heldAt(moments, second) {
  const moment = moments[indexAt(moments, second)];
  if (!moment || second - moment.at > LONGEST_GAP) return [];
  return moment.held
    .map(([rule, crime, confidence, , reason]) => ({ rule, crime, confidence, reason }))
    .sort((one, other) => other.confidence - one.confidence);
}

/** A line per rule: [{ rule, points: [[second, confidence], …] }], the surest rule first. */
export function ruleLines(moments) {
  const rules = new Map();
  moments.forEach((moment, index) => {
    for (const [rule, , confidence] of moment.held) {
      if (!rules.has(rule)) rules.set(rule, new Map());
      const line = rules.get(rule);
      line.set(index, Math.max(line.get(index) ?? 0, confidence));
    }
  });
  return [...rules]
    .map(([rule, line]) => ({
      rule,
      peak: Math.max(...line.values()),
      points: moments.map((moment, index) => [moment.at, line.get(index) ?? 0]),
    }))
    .sort((one, other) => other.peak - one.peak);
}
