// The page's own words, clock and numbers: every text that a script shows was written by the server.

export const read = (id) => JSON.parse(document.getElementById(id).textContent);

export const words = read("episode-strings");

/** Fill `{name}` in one of the page's sentences. */
export function say(sentence, facts = {}) {
  return (words[sentence] ?? "").replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

// Digits as the server writes them, also in Arabic.
const locale = `${document.documentElement.lang || "en"}-u-nu-latn`;
const clock = new Intl.DateTimeFormat(locale, {
  timeZone: words.zone,
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 1,
  hourCycle: "h23",
});

/** The time of day of POSIX seconds, to the tenth. */
export const timeOfDay = (posix) => clock.format(new Date(posix * 1000));

/** Seconds since the first suspicious frame, with their sign: `+3.2`. */
export function offset(second, digits = 1) {
  const text = Math.abs(second).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${second < 0 ? "−" : "+"}${text}`;
}

/** What the server calls a rule or a type of crime; its own word where it has no name. */
export const nameOf = (word) => words.names[word] ?? word.replaceAll("_", " ");
