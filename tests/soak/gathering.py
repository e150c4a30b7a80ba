"""Collects what a run left behind: both sides' books, and what was done to the cluster."""

from tests.e2e.cluster import epoch
from tests.soak import books, coverage, silence, watchers
from tests.soak.conductor import Conductor
from tests.soak.coverage import Told
from tests.soak.site import Site

# --- what both sides wrote -----------------------------------------------------------------------


def read_books(site: Site) -> books.Books:
    """The cluster's database and the back end's memory."""
    episodes = site.rows(
        "SELECT e.*, k.external_id FROM detection_episode e "
        "JOIN detection_camera k ON k.id = e.camera_id ORDER BY e.decided_at"
    )
    steps = site.rows("SELECT episode_id, kind FROM detection_episodeevent")
    deliveries = site.rows("SELECT * FROM integrations_delivery")
    return books.Books(
        episodes=[
            books.Episode(
                id=str(row["id"]),
                camera_id=row["external_id"],
                status=row["status"],
                decided_at=epoch(row["decided_at"]),
                started_at=epoch(row["started_at"]),
                ended_at=None if row["ended_at"] is None else epoch(row["ended_at"]),
            )
            for row in episodes
        ],
        steps=[(str(row["episode_id"]), row["kind"]) for row in steps],
        deliveries=[
            books.Delivery(
                id=str(row["id"]),
                episode_id=str(row["episode_id"]),
                kind=row["kind"],
                sequence=row["sequence"],
                status=row["status"],
                attempts=row["attempts"],
                last_error=row["last_error"],
            )
            for row in deliveries
        ],
        received=_received(site),
        refused_keys=frozenset(
            call.headers["Idempotency-Key"]
            for call in site.backend.calls
            if 400 <= call.status < 500 and call.fault is None and "Idempotency-Key" in call.headers
        ),
    )


def _received(site: Site) -> list[books.Received]:
    backend = site.backend
    alerts = [
        books.Received("alert", r.idempotency_key or "", r.camera_id, r.at) for r in backend.alerts
    ]
    stops = [
        books.Received("stop", r.idempotency_key or "", r.camera_id, r.at) for r in backend.stops
    ]
    crimes = [
        books.Received(
            "crime",
            r.idempotency_key or "",
            r.camera_id,
            r.at,
            f"{r.crime_type} {r.start_time.isoformat()}",
        )
        for r in backend.crimes
    ]
    return [*alerts, *crimes, *stops]


def read_crimes(site: Site) -> list[Told]:
    """The crimes that the back end was told."""
    return [
        Told(
            crime.camera_id,
            crime.crime_type,
            crime.start_time.timestamp(),
            crime.end_time.timestamp(),
            crime.at,
            crime.idempotency_key or "",
        )
        for crime in site.backend.crimes
    ]


def read_beats(site: Site) -> list[watchers.Beat]:
    """The heartbeats that the back end answered."""
    return [
        watchers.Beat(call.at, call.instance, tuple(call.body["camera_ids"]))
        for call in site.backend.calls_to("/heartbeat")
        if call.status == 200 and isinstance(call.body, dict)
    ]


# --- what was done to the cluster ----------------------------------------------------------------


def pauses(run: Conductor) -> list[watchers.Pause]:
    """When a stream worker stood still."""
    return [
        watchers.Pause(fault.part, fault.begun_at, fault.mended_at or run.ended_at)
        for fault in run.inflicted
        if fault.fault.name.startswith("pause streams")
    ]


def watchers_lost(run: Conductor) -> list[silence.WatcherLost]:
    """Each camera whose stream worker was struck or died while it watched."""
    struck = [(fault.part, fault.begun_at) for fault in run.inflicted]
    struck += [(death.process.partition(".")[0], death.at) for death in run.deaths]
    return [
        silence.WatcherLost(session.camera_id, at)
        for session in run.site.sessions.all()
        for part, at in struck
        if session.worker == part and session.opened_at <= at <= (session.closed_at or at) + 1.0
    ]


def watchers_killed(written: books.Books, run: Conductor, site: Site) -> dict[str, float]:
    """Episode id → when the process that watched it was killed or died."""
    kills = [
        (fault.part, fault.begun_at)
        for fault in run.inflicted
        if fault.fault.name.startswith("kill -9 streams")
    ]
    kills += [(death.process.partition(".")[0], death.at) for death in run.deaths]
    killed: dict[str, float] = {}
    for episode in written.episodes:
        last = (episode.ended_at or run.ended_at) + silence.BLIND_GRACE_SECONDS
        for worker, at in kills:
            if episode.decided_at <= at <= last and any(
                session.camera_id == episode.camera_id
                and session.worker == worker
                and session.opened_at <= at <= (session.closed_at or at) + 1.0
                for session in site.sessions.all()
            ):
                killed.setdefault(episode.id, at)
    return killed


def control_closed(run: Conductor) -> list[silence.ControlClosed]:
    """When a camera could not be told to be silent."""
    found = []
    for fault in run.inflicted:
        if fault.fault.closes_control:
            cool_down = silence.COOL_DOWN_SECONDS if "password" in fault.fault.name else 0.0
            ends = (fault.mended_at or run.ended_at) + cool_down
            number = coverage.camera_number(fault.part)
            found.append(silence.ControlClosed(number, fault.begun_at, ends))
    return found
