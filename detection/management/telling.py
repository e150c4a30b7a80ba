"""News of a watched scene, and what it came to, as lines for people and as JSON for programs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final

from detection.narration import Kind, News

SECONDS_A_MINUTE: Final = 60
_WORDS: Final[Mapping[Kind, str]] = {
    Kind.SUSPECTED: "suspected",
    Kind.CHANGED: "",
    Kind.OVER: "over",
    Kind.ALERT: "ALERT",
    Kind.ALERT_CHANGED: "ALERT now",
    Kind.CRIME: "CRIME",
    Kind.ENDED: "END",
}
_STYLES: Final[Mapping[Kind, str]] = {
    Kind.OVER: "dim",
    Kind.CHANGED: "dim",
    Kind.ALERT: "bold yellow",
    Kind.ALERT_CHANGED: "yellow",
    Kind.CRIME: "bold red",
    Kind.ENDED: "bold green",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """Names moments: by their place in a clip that begins at a time, or by the wall clock."""

    zone: tzinfo
    begins_at: datetime | None = None

    def seconds(self, at: datetime) -> float:
        """The place in the clip, in seconds; POSIX seconds of a camera's."""
        return (at - self.begins_at).total_seconds() if self.begins_at else at.timestamp()

    def spell(self, at: datetime) -> str:
        if self.begins_at is None:
            return f"{at.astimezone(self.zone):%H:%M:%S}"
        tenths = round(self.seconds(at) * 10)
        minutes, rest = divmod(tenths, 10 * SECONDS_A_MINUTE)
        hours, minutes = divmod(minutes, 60)
        place = f"{minutes:02d}:{rest / 10:04.1f}"
        return f"{hours}:{place}" if hours else place.removeprefix("0")


def line_of(news: News, clock: Clock) -> str:
    """One line: when, what, how sure, why; and which rules say so."""
    sure = "" if news.confidence is None else f"{news.confidence:.0f} %"
    crime = news.crime_type.replace("_", " ") if news.crime_type else ""
    why = news.reason or _numbers(news)
    if news.since is not None:
        word = "last at" if news.kind is Kind.OVER else "since"
        why = f"{word} {clock.spell(news.since)}" + (f": {why}" if why else "")
    if news.rules:
        why = f"{why}  [{', '.join(news.rules)}]"
    line = f"{clock.spell(news.at):>9}  {_WORDS[news.kind]:<9}  {crime:<19}  {sure:>5}  {why}"
    return line.rstrip()


def style_of(news: News) -> str:
    """How rich shows the line on a terminal."""
    return _STYLES.get(news.kind, "")


def json_of(news: News, clock: Clock) -> str:
    """One JSON object on one line; `seconds` is the place in the clip, or POSIX time."""
    return _dumps(
        {
            "what": news.kind.value,
            "at": news.at.isoformat(),
            "seconds": round(clock.seconds(news.at), 2),
            "crime_type": news.crime_type.value if news.crime_type else None,
            "confidence": None if news.confidence is None else round(news.confidence, 1),
            "reason": news.reason or None,
            "track_ids": list(news.track_ids) or None,
            "rules": list(news.rules) or None,
            "since": news.since.isoformat() if news.since else None,
        }
    )


@dataclass(slots=True)
class Tally:
    """What was judged and found, and what it cost; seconds of wall clock and of CPU."""

    frames: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    episodes: int = 0
    crimes: list[str] = field(default_factory=list)
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    film_cpu_seconds: float = 0.0
    film: str = ""

    def note(self, news: News) -> None:
        self.episodes += news.kind is Kind.ALERT
        if news.kind is Kind.CRIME and news.crime_type:
            self.crimes.append(news.crime_type.value)

    @property
    def watched_seconds(self) -> float:
        if self.first_at is None or self.last_at is None:
            return 0.0
        return max(0.0, (self.last_at - self.first_at).total_seconds())

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def cpu_milliseconds(self) -> float:
        """Of a frame, without its part in the film."""
        return 1000 * self.cpu_seconds / self.frames if self.frames else 0.0

    def lines(self) -> list[str]:
        crimes = ", ".join(crime.replace("_", " ") for crime in self.crimes)
        found = f"{_count(self.episodes, 'episode')}, {_count(len(self.crimes), 'crime')}"
        lines = [
            found + (f" ({crimes})" if crimes else ""),
            f"{_count(self.frames, 'frame')} of {self.watched_seconds:.1f} s judged in "
            f"{self.wall_seconds:.1f} s: {self.frames_per_second:.1f} frames/s, "
            f"{self.cpu_milliseconds:.1f} ms CPU a frame",
        ]
        if self.film:
            each = 1000 * self.film_cpu_seconds / max(1, self.frames)
            lines.append(f"film: {self.film} ({each:.1f} ms CPU a frame more)")
        return lines

    def as_json(self) -> str:
        return _dumps(
            {
                "what": "summary",
                "episodes": self.episodes,
                "crimes": self.crimes,
                "frames": self.frames,
                "watched_seconds": round(self.watched_seconds, 2),
                "frames_per_second": round(self.frames_per_second, 2),
                "cpu_ms_per_frame": round(self.cpu_milliseconds, 2),
                "film": self.film or None,
            }
        )


def _numbers(news: News) -> str:
    """As the film calls them: a theft names the thing, too, so that not each is a person."""
    return " ".join(f"#{track_id}" for track_id in news.track_ids)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _dumps(entries: Mapping[str, object]) -> str:
    given = {name: value for name, value in entries.items() if value is not None}
    return json.dumps(given, ensure_ascii=False)
