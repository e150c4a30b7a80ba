"""The cluster's books against the back end's: every step told, once, in order."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {
    "opened": "alert",
    "confidence": "alert",
    "confirmed": "crime",
    "cleared": "stop",
    "lost": "stop",
}


@dataclass(frozen=True, slots=True)
class Episode:
    """A row of the cluster's database; times are epoch seconds."""

    id: str
    camera_id: int
    status: str
    decided_at: float
    started_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox."""

    id: str
    episode_id: str
    kind: str
    sequence: int
    status: str
    attempts: int
    last_error: str


@dataclass(frozen=True, slots=True)
class Received:
    """A report that the back end acted upon."""

    kind: str
    key: str
    camera_id: int
    at: float
    what: str = ""
    """Of a crime: its type and its beginning."""


@dataclass(frozen=True, slots=True)
class Books:
    """What both sides have written when the run is over."""

    episodes: Sequence[Episode]
    steps: Sequence[tuple[str, str]]  # episode id, kind of the step
    deliveries: Sequence[Delivery]
    received: Sequence[Received]
    refused_keys: frozenset[str]
    """Keys that the back end refused of its own accord, not by an inflicted fault."""

    def place(self, episode_id: str) -> str:
        """An episode as a finding names it."""
        for episode in self.episodes:
            if episode.id == episode_id:
                return f"episode {episode_id} (camera {episode.camera_id})"
        return f"episode {episode_id}"


def lost_reports(books: Books) -> list[str]:
    """Steps of episodes whose report never reached the back end."""
    return [*_open_for_ever(books), *_never_queued(books), *_never_arrived(books)]


def _open_for_ever(books: Books) -> list[str]:
    return [
        f"{books.place(episode.id)} is still open: its stop was never told"
        for episode in books.episodes
        if episode.ended_at is None
    ]


def _never_queued(books: Books) -> list[str]:
    steps = Counter((episode_id, KINDS[kind]) for episode_id, kind in books.steps)
    queued = Counter((delivery.episode_id, delivery.kind) for delivery in books.deliveries)
    return [
        f"{books.place(episode_id)}: {count} × {kind} written, "
        f"{queued[episode_id, kind]} in the outbox"
        for (episode_id, kind), count in steps.items()
        if queued[episode_id, kind] < count
    ]


def _never_arrived(books: Books) -> list[str]:
    arrived = {report.key for report in books.received}
    newest_alert: dict[str, int] = {}
    for delivery in books.deliveries:
        if delivery.kind == "alert" and delivery.id in arrived:
            known = newest_alert.get(delivery.episode_id, 0)
            newest_alert[delivery.episode_id] = max(known, delivery.sequence)
    found = []
    for delivery in books.deliveries:
        by_contract = delivery.status == "refused" and delivery.id in books.refused_keys
        overtaken = (
            delivery.status == "superseded"
            and newest_alert.get(delivery.episode_id, 0) > delivery.sequence
        )
        if delivery.id in arrived or by_contract or overtaken:
            continue
        found.append(
            f"{books.place(delivery.episode_id)}: its {delivery.kind} {delivery.id} is "
            f"{delivery.status} after {delivery.attempts} attempts and never arrived "
            f"({delivery.last_error or 'no error'})"
        )
    return found


def repeated_reports(books: Books) -> list[str]:
    """A key acted on twice, or two crimes of one episode and type."""
    found = [
        f"the back end acted {count} times on {kind} {key}"
        for (kind, key), count in Counter((r.kind, r.key) for r in books.received if r.key).items()
        if count > 1
    ]
    episode_of = {delivery.id: delivery.episode_id for delivery in books.deliveries}
    crimes: Counter[tuple[str, str]] = Counter()
    for report in books.received:
        if report.kind == "crime":
            crime_type, _, begins = report.what.partition(" ")
            # What came without a key of ours is told apart by what it says.
            whose = episode_of.get(report.key) or _episode_beginning(books, report, begins)
            crimes[whose, crime_type] += 1
    return found + [
        f"{books.place(whose)}: {count} crimes of type {crime_type} at the back end"
        for (whose, crime_type), count in crimes.items()
        if count > 1
    ]


def _episode_beginning(books: Books, report: Received, begins: str) -> str:
    same = [
        other
        for other in books.received
        if other.kind == "crime"
        and (other.camera_id, other.what) == (report.camera_id, report.what)
    ]
    episode_of = {delivery.id: delivery.episode_id for delivery in books.deliveries}
    known = [episode_of[other.key] for other in same if other.key in episode_of]
    return known[0] if known else f"unknown, camera {report.camera_id} from {begins}"


def out_of_order(books: Books) -> list[str]:
    """Episodes whose alert, crime and stop did not arrive in this order."""
    at: Mapping[str, float] = {report.key: report.at for report in books.received}
    rank = {"alert": 0, "crime": 1, "stop": 2}
    by_episode: dict[str, list[tuple[float, int, Any]]] = {}
    for delivery in books.deliveries:
        if delivery.id in at:
            row = at[delivery.id], delivery.sequence, rank[delivery.kind]
            by_episode.setdefault(delivery.episode_id, []).append(row)
    found = []
    for episode_id, rows in by_episode.items():
        sequences = [sequence for _, sequence, _ in sorted(rows)]
        if sequences != sorted(sequences):
            found.append(f"{books.place(episode_id)}: reports arrived in the order {sequences}")
    return found
