// A file of zones, as docs/samples/zones.json and “Export as JSON” have them.
import { place } from "./geometry.js";

/** Throws for what is no list of zones; what is wrong with a shape is shown once it is drawn. */
export async function zonesOf(file, kinds) {
  const zones = JSON.parse(await file.text()).map((entry) => ({
    id: null, name: String(entry.name), kind: entry.kind, enabled: true, schedule: null,
    corners: (entry.corners ?? entry.polygon).map(([x, y]) => place([Number(x), Number(y)])),
    settings: entry.settings ?? {},
  }));
  if (zones.some((zone) => !kinds[zone.kind])) throw new Error("a kind that nobody knows");
  return zones;
}

/** Asks for a file by the browser's own window. */
export function askForFile(then) {
  const input = document.createElement("input");
  Object.assign(input, { type: "file", accept: "application/json,.json" });
  input.addEventListener("change", () => then(input.files[0]));
  input.click();
}
