"""Leases on cameras, with a real database: one watcher at most, and room for so many."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from detection.models import Camera, CameraState, Claim
from detection.ports import ListedCamera
from detection.services import cameras, claims, heartbeats
from detection.services.claims import Lease, NotWanted, Overtaken, Ring, WatchCounters
from tests.integration.conftest import at_once

pytestmark = pytest.mark.django_db


ON_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite holds it; test_on_postgres runs it there"
)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def a_camera(number: int = 1, **fields: Any) -> Camera:
    given = {"registry": "laravel", "name": f"Camera {number}", "external_id": number}
    return Camera.objects.create(**{**given, **fields})


def take(
    camera: Camera, at: datetime, instance: str = "here", max_cameras: int = 10
) -> Lease | None:
    return claims.take_lease(
        camera_id=camera.pk,
        instance=instance,
        worker=f"streams@{instance}",
        max_cameras=max_cameras,
        at=at,
    )


def taken(camera: Camera, at: datetime, instance: str = "here") -> Lease:
    lease = take(camera, at, instance)
    assert lease is not None
    return lease


def renew(
    lease: Lease, at: datetime, last_frame_at: datetime | None = None, **counted: int
) -> None:
    claims.renew_lease(
        lease=lease,
        at=at,
        last_frame_at=last_frame_at,
        counters=WatchCounters(**counted),
        frames_per_second=14.5,
    )


# --- taking, renewing, giving back ---------------------------------------------------------------


def test_a_free_camera_is_taken_for_the_lease_time(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    claim = Claim.objects.get(camera=camera)
    assert lease == Lease(camera.pk, 1, inherited=False)
    assert (claim.instance, claim.worker, claim.token) == ("here", "streams@here", 1)
    assert (claim.claimed_at, claim.expires_at) == (now, now + seconds(12))


def test_a_lease_that_is_lost_while_it_is_renewed_is_overtaken_and_not_disabled(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = taken(a_camera(), now)
    prolong = claims._renew

    def overtaken_at_once(*given: Any, **published: Any) -> None:
        prolong(*given, **published)
        Claim.objects.update(token=lease.token + 1)

    monkeypatch.setattr(claims, "_renew", overtaken_at_once)
    with pytest.raises(Overtaken):
        renew(lease, now)


def test_a_camera_that_is_held_is_taken_by_nobody(now: datetime) -> None:
    camera = a_camera()
    taken(camera, now)
    assert take(camera, now + seconds(11.9)) is None
    assert take(camera, now + seconds(11.9), "elsewhere") is None


def test_a_disabled_camera_is_not_taken(now: datetime) -> None:
    assert take(a_camera(enabled=False), now) is None


def test_the_token_grows_with_every_change_of_hands(now: datetime) -> None:
    camera = a_camera()
    tokens = []
    for instance in ("here", "here", "elsewhere"):
        lease = taken(camera, now, instance)
        tokens.append(lease.token)
        claims.give_lease_back(lease=lease)
    tokens.append(taken(camera, now).token)
    assert tokens == [1, 2, 3, 4]


def test_renewing_lengthens_the_lease_and_publishes_how_it_goes(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    frame_at = now + seconds(1)
    renew(lease, now + seconds(2), frame_at, decoded=30, sampled=6, analysed=5, skipped=1)
    renew(lease, now + seconds(4), frame_at, decoded=30, sampled=6, analysed=6)
    claim = Claim.objects.get(camera=camera)
    assert claim.expires_at == now + seconds(16)
    assert claim.last_frame_at == frame_at
    assert (claim.frames_decoded, claim.frames_sampled) == (60, 12)
    assert (claim.frames_analysed, claim.frames_skipped) == (11, 1)
    assert claim.frames_per_second == 14.5


def test_a_new_watcher_does_not_inherit_the_frames_of_the_old_one(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    renew(lease, now, now)
    taken(camera, now + seconds(13), "elsewhere")
    claim = Claim.objects.get(camera=camera)
    assert (claim.last_frame_at, claim.frames_per_second) == (None, 0)


def test_a_camera_given_back_may_be_taken_at_once(now: datetime) -> None:
    camera = a_camera()
    claims.give_lease_back(lease=taken(camera, now))
    assert taken(camera, now, "elsewhere").token == 2


def test_an_overtaken_watcher_neither_renews_nor_gives_back(now: datetime) -> None:
    camera = a_camera()
    old = taken(camera, now)
    new = taken(camera, now + seconds(12), "elsewhere")
    with pytest.raises(Overtaken, match="lease 1 is no longer ours"):
        renew(old, now + seconds(12))
    claims.give_lease_back(lease=old)
    renew(new, now + seconds(13))
    assert Claim.objects.get(camera=camera).instance == "elsewhere"


def test_a_lease_that_ran_out_is_renewed_as_long_as_nobody_took_it(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    renew(lease, now + seconds(60))
    assert Claim.objects.get(camera=camera).expires_at == now + seconds(72)
    assert take(camera, now + seconds(61), "elsewhere") is None


def test_disabling_a_camera_stops_its_watcher_at_the_next_renewal(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    Camera.objects.update(enabled=False)
    with pytest.raises(NotWanted, match="was disabled"):
        renew(lease, now + seconds(2))
    assert to_ring(now + seconds(60)) == []


# --- races and room ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_watchers_at_once_one_wins(now: datetime) -> None:
    for number in range(5):
        camera = a_camera(number)
        acts = [lambda c=camera, i=i: take(c, now, i) for i in ("here", "elsewhere")]
        leases = [lease for lease in at_once(acts) if lease is not None]
        assert [lease.token for lease in leases] == [1]


@pytest.mark.django_db(transaction=True)
def test_of_many_watchers_of_a_lapsed_camera_one_wins(now: datetime) -> None:
    camera = a_camera()
    taken(camera, now)
    later = now + seconds(12)
    acts = [lambda i=i: take(camera, later, f"node-{i}") for i in range(6)]
    assert [lease.token for lease in at_once(acts) if lease is not None] == [2]


def test_an_instance_holds_no_more_than_it_may(now: datetime) -> None:
    cameras = [a_camera(number) for number in range(1, 5)]
    assert take(cameras[0], now, max_cameras=2) is not None
    assert take(cameras[1], now, max_cameras=2) is not None
    assert take(cameras[2], now, max_cameras=2) is None
    assert take(cameras[2], now, "elsewhere", max_cameras=2) is not None, "another has room"
    assert not claims.has_room(instance="here", max_cameras=2, at=now)
    assert claims.has_room(instance="here", max_cameras=2, at=now + seconds(12)), "they lapsed"


@pytest.mark.django_db(transaction=True)
def test_watchers_of_one_instance_at_once_take_no_more_than_it_may_hold(now: datetime) -> None:
    cameras = [a_camera(number) for number in range(6)]
    acts = [lambda c=camera: take(c, now, max_cameras=2) for camera in cameras]
    assert len([lease for lease in at_once(acts) if lease is not None]) == 2
    assert Claim.objects.live(now).count() == 2


def held(lease: Lease, at: datetime, *, by_registry: bool = True) -> Lease:
    """The registry counts the camera as this instance's."""
    claims.note_held(lease=lease, held=by_registry, at=at)
    return lease


def test_what_the_registry_counts_as_ours_is_inherited_by_the_same_instance(now: datetime) -> None:
    camera = a_camera()
    held(taken(camera, now), now)
    assert taken(camera, now + seconds(12)).inherited


def test_a_lapsed_lease_that_the_registry_never_granted_is_not_inherited(now: datetime) -> None:
    camera = a_camera()
    taken(camera, now)
    assert not taken(camera, now + seconds(12)).inherited


def test_what_the_registry_counts_as_anothers_is_left_to_that_one(now: datetime) -> None:
    camera = a_camera()
    held(taken(camera, now), now)
    assert take(camera, now + seconds(12), "elsewhere") is None
    assert taken(camera, now + seconds(12)).inherited, "and it has forgotten nothing"


def test_what_a_dead_instance_held_is_free_once_its_registry_says_so(now: datetime) -> None:
    camera = a_camera()
    held(taken(camera, now), now)
    assert rings(now + seconds(118)) == [Ring(camera.pk, "here")]
    Camera.objects.update(listed_at=now + seconds(120))
    assert to_ring(now + seconds(121)) == [camera.pk], "at once, though its own were just rung"
    assert not taken(camera, now + seconds(121), "elsewhere").inherited


def test_an_instance_that_comes_back_when_its_camera_was_freed_inherits_nothing(
    now: datetime,
) -> None:
    camera = a_camera()
    held(taken(camera, now), now)
    Camera.objects.update(listed_at=now + seconds(120))
    assert not taken(camera, now + seconds(121)).inherited


def test_a_camera_of_our_own_is_anybodys_when_its_watcher_is_gone(now: datetime) -> None:
    camera = a_camera(registry="local")
    held(taken(camera, now), now)
    assert to_ring(now + seconds(12)) == [camera.pk]
    assert taken(camera, now + seconds(12), "elsewhere").token == 2


def test_what_an_instance_left_at_its_registry_takes_its_room(now: datetime) -> None:
    left, other = a_camera(1), a_camera(2)
    held(taken(left, now), now)
    later = now + seconds(12)
    assert take(other, later, max_cameras=1) is None, "the registry would refuse it"
    assert take(left, later, max_cameras=1) is not None
    Camera.objects.filter(pk=left.pk).update(listed_at=now + seconds(120))
    rings(now + seconds(121))
    assert take(other, now + seconds(121), max_cameras=1) is not None, "it was freed there"


def test_who_was_cut_off_until_its_camera_was_freed_is_overtaken_though_nobody_took_it(
    now: datetime,
) -> None:
    camera = a_camera()
    cut_off = held(taken(camera, now), now)
    Camera.objects.update(listed_at=now + seconds(120))
    assert to_ring(now + seconds(121)) == [camera.pk]
    with pytest.raises(Overtaken):
        renew(cut_off, now + seconds(122))
    held(cut_off, now + seconds(122))
    assert not taken(camera, now + seconds(123)).inherited


def test_who_was_cut_off_renews_no_more_than_its_instance_may_hold(now: datetime) -> None:
    cut_off, others = [a_camera(1), a_camera(2)], [a_camera(3), a_camera(4)]
    leases = [held(taken(camera, now), now) for camera in cut_off]
    Camera.objects.update(listed_at=now + seconds(120))
    later = now + seconds(121)
    assert take(others[0], later, max_cameras=2) is None, "their watcher may be back at once"
    to_ring(later)
    for camera in others:
        assert take(camera, later, max_cameras=2) is not None
    for lease in leases:
        with pytest.raises(Overtaken):
            renew(lease, later)
    assert Claim.objects.live(later).count() == 2


def test_after_the_database_was_away_the_watcher_of_a_freed_camera_comes_first(
    now: datetime,
) -> None:
    lease = held(taken(a_camera(), now), now)
    Camera.objects.update(listed_at=now + seconds(120))
    back = now + seconds(121)
    assert claims.cameras_to_ring(at=back, listed_within_seconds=60, lapsed_too=False) == []
    renew(lease, back)
    assert claims.was_taken_back(lease=lease), "and it is claimed again"


def test_a_disabled_camera_of_our_own_takes_no_room_for_ever(now: datetime) -> None:
    left, other = a_camera(1, registry="local"), a_camera(2, registry="local")
    cut_off = held(taken(left, now), now)
    Camera.objects.filter(pk=left.pk).update(enabled=False)
    later = now + seconds(12)
    assert to_ring(later) == [other.pk]
    assert take(other, later, max_cameras=1) is not None
    with pytest.raises(Overtaken):
        renew(cut_off, later)


def test_who_asks_with_an_old_time_moves_nothing_into_the_past(now: datetime) -> None:
    listed = now + seconds(1)
    claimed, free = a_camera(1, listed_at=listed), a_camera(2, listed_at=listed)
    lease = held(taken(claimed, now + seconds(2)), now + seconds(2))
    assert to_ring(now) == [free.pk]
    free.refresh_from_db()
    assert free.listed_at == listed
    assert not claims.was_taken_back(lease=lease)
    assert Claim.objects.get(camera=claimed).expires_at == now + seconds(14)


def test_what_could_not_be_released_is_inherited_and_what_was_is_not(now: datetime) -> None:
    camera = a_camera()
    claims.give_lease_back(lease=held(taken(camera, now), now))
    second = taken(camera, now)
    assert second.inherited, "it was given back here, but not at the registry"
    claims.give_lease_back(lease=held(second, now, by_registry=False))
    assert not taken(camera, now).inherited


def test_an_overtaken_watcher_does_not_say_who_is_held(now: datetime) -> None:
    camera = a_camera()
    old = taken(camera, now)
    later = now + seconds(12)
    taken(camera, later, "elsewhere")
    held(old, later + seconds(1))
    claim = Claim.objects.get(camera=camera)
    assert (claim.holder, claim.claimed_at) == ("", later)


def test_a_camera_that_is_listed_as_free_after_its_claim_was_taken_back(now: datetime) -> None:
    camera = a_camera(listed_at=now - seconds(1))
    lease = held(taken(camera, now), now + seconds(1))
    assert not claims.was_taken_back(lease=lease)
    Camera.objects.update(listed_at=now + seconds(1))
    assert not claims.was_taken_back(lease=lease), "that list was asked for before the claim"
    Camera.objects.update(listed_at=now + seconds(1.1))
    assert claims.was_taken_back(lease=lease)
    held(lease, now + seconds(2))
    assert not claims.was_taken_back(lease=lease), "claimed again since"


def test_what_is_not_held_cannot_be_taken_back(now: datetime) -> None:
    lease = taken(a_camera(listed_at=now + seconds(60)), now)
    assert not claims.was_taken_back(lease=lease)
    held(lease, now)
    assert claims.was_taken_back(lease=lease)
    assert not claims.was_taken_back(lease=Lease(lease.camera_id, lease.token - 1))


# --- which cameras are rung ----------------------------------------------------------------------


def rings(at: datetime) -> list[Ring]:
    return claims.cameras_to_ring(at=at, listed_within_seconds=60)


def to_ring(at: datetime) -> list[int]:
    """The cameras for which any instance is rung."""
    return [ring.camera_id for ring in rings(at) if not ring.holder]


def test_a_camera_is_rung_while_its_registry_lists_it(now: datetime) -> None:
    listed = a_camera(1, listed_at=now - seconds(59))
    a_camera(2, listed_at=now - seconds(61))
    a_camera(3)
    assert to_ring(now) == [listed.pk]


def test_a_camera_of_our_own_is_always_rung(now: datetime) -> None:
    local = a_camera(registry="local")
    assert to_ring(now) == [local.pk]


def test_a_watched_camera_is_not_rung_and_one_that_we_still_hold_is(now: datetime) -> None:
    camera = a_camera(listed_at=now - seconds(3600))
    held(taken(camera, now), now)
    assert rings(now + seconds(11.9)) == []
    assert rings(now + seconds(12)) == [Ring(camera.pk, "here")]


def test_a_disabled_camera_that_is_still_held_is_rung_to_be_released(now: datetime) -> None:
    camera = a_camera()
    held(taken(camera, now), now)
    Camera.objects.update(enabled=False)
    assert rings(now + seconds(12)) == [Ring(camera.pk, "here")]
    assert taken(camera, now + seconds(12)).inherited


def test_a_lapsed_lease_alone_rings_nobody(now: datetime) -> None:
    camera = a_camera(listed_at=now - seconds(3600))
    lease = held(taken(camera, now), now)
    held(lease, now + seconds(1), by_registry=False)
    assert to_ring(now + seconds(12)) == []


def test_a_camera_that_could_not_be_released_is_rung(now: datetime) -> None:
    camera = a_camera(listed_at=now - seconds(3600))
    claims.give_lease_back(lease=held(taken(camera, now), now))
    assert rings(now) == [Ring(camera.pk, "here")]


def test_a_disabled_camera_is_not_rung(now: datetime) -> None:
    a_camera(registry="local", enabled=False)
    assert to_ring(now) == []


def test_a_camera_is_not_rung_before_its_time(now: datetime) -> None:
    camera = a_camera(registry="local")
    cameras.postpone_camera(camera_id=camera.pk, until=now + seconds(30))
    assert to_ring(now + seconds(29)) == []
    assert to_ring(now + seconds(30)) == [camera.pk]


def test_a_camera_rung_a_moment_ago_is_left_in_peace(now: datetime) -> None:
    camera = a_camera(registry="local")
    assert to_ring(now) == [camera.pk]
    assert to_ring(now + seconds(9.9)) == []
    assert to_ring(now + seconds(10)) == [camera.pk]


def test_a_ring_in_the_future_is_none_the_clock_was_set_back(now: datetime) -> None:
    camera = a_camera(registry="local")
    assert to_ring(now + seconds(3600)) == [camera.pk]
    assert to_ring(now) == [camera.pk]
    assert to_ring(now + seconds(5)) == []


def test_a_camera_given_back_is_rung_at_once(now: datetime) -> None:
    camera = a_camera(registry="local")
    assert to_ring(now) == [camera.pk]
    claims.give_lease_back(lease=taken(camera, now))
    assert to_ring(now) == [camera.pk]


@pytest.mark.django_db(transaction=True)
def test_two_reconcilers_at_once_ring_a_camera_once(now: datetime) -> None:
    camera = a_camera(registry="local")
    rung = at_once([lambda: to_ring(now), lambda: to_ring(now)])
    assert [pk for pks in rung for pk in pks] == [camera.pk]


def test_listed_cameras_are_made_and_brought_in_line(now: datetime) -> None:
    listed = ListedCamera(7, "Gate", "rtsp://a:secret@h/1", "10.0.0.7", password="secret")
    assert cameras.upsert_listed_cameras(registry="laravel", listed=[listed], at=now) == 1
    Camera.objects.update(control_password="set by an operator", enabled=False)
    moved = ListedCamera(7, "Gate", "rtsp://a:secret@h/2", "10.0.0.8", password="secret")
    later = now + seconds(30)
    assert cameras.upsert_listed_cameras(registry="laravel", listed=[moved], at=later) == 0
    camera = Camera.objects.get()
    assert (camera.address, camera.stream_url) == ("10.0.0.8", "rtsp://a:secret@h/2")
    assert camera.listed_at == later
    assert camera.control_password == "set by an operator", "the registry did not name one"
    assert not camera.enabled, "an operator decides that"


def listed(number: int, **fields: Any) -> ListedCamera:
    return ListedCamera(
        number, **{"name": f"Camera {number}", "stream_url": "rtsp://h/1", **fields}
    )


@pytest.mark.parametrize(
    "monster",
    [
        listed(2**63),
        listed(2, station_id=2**70),
        listed(2, name="half a character \ud800"),
        pytest.param(listed(2, name="x" * 300), marks=ON_POSTGRES),
        pytest.param(listed(2, name="Ga\0te"), marks=ON_POSTGRES),
    ],
    ids=["id", "station", "surrogate", "length", "nul"],
)
def test_a_camera_that_the_database_cannot_hold_is_named_and_stops_no_other(
    monster: ListedCamera, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    several = [listed(1), monster, listed(3)]
    assert cameras.upsert_listed_cameras(registry="laravel", listed=several, at=now) == 2
    assert list(Camera.objects.order_by("pk").values_list("external_id", flat=True)) == [1, 3]
    assert f"camera {monster.external_id} of “laravel” cannot be kept" in caplog.text


# --- who beats for what --------------------------------------------------------------------------


def test_each_worker_with_a_live_claim_beats_once(now: datetime) -> None:
    for number, instance in enumerate(["here", "here", "elsewhere", "gone"]):
        taken(a_camera(number), now - seconds(12 if instance == "gone" else 0), instance)
    assert heartbeats.beating_workers(at=now) == [
        ("elsewhere", "streams@elsewhere"),
        ("here", "streams@here"),
    ]


def test_only_cameras_that_are_really_watched_are_beaten_for(now: datetime) -> None:
    def watched(number: int, frame_age: float | None, **fields: Any) -> None:
        instance = fields.pop("instance", "here")
        camera = a_camera(number, **{"state": CameraState.RUNNING, **fields})
        frame_at = None if frame_age is None else now - seconds(frame_age)
        renew(held(taken(camera, now, instance), now), now, frame_at)

    watched(12, 1)
    watched(11, 7.9)
    watched(13, 8.1)
    watched(14, None)
    watched(15, 1, state=CameraState.STARTING)
    watched(16, 1, instance="elsewhere")
    watched(17, 1, registry="local")
    renew(taken(a_camera(18, state=CameraState.RUNNING), now), now, now)  # not claimed yet
    fresh = heartbeats.fresh_cameras(instance="here", at=now, stall_seconds=8)
    assert fresh == {"laravel": [11, 12], "local": [17]}
    lapsed = heartbeats.fresh_cameras(instance="here", at=now + seconds(12), stall_seconds=60)
    assert lapsed == {}


def due(at: datetime, instance: str = "here") -> bool:
    return heartbeats.take_beat(instance=instance, at=at, interval_seconds=60)


def test_a_heartbeat_is_due_once_in_an_interval_whoever_asks(now: datetime) -> None:
    lease = taken(a_camera(), now)
    beats = []
    for second in range(0, 200, 5):  # two beats, each looking every ten seconds
        at = now + seconds(second)
        renew(lease, at)
        beats += [second] if due(at) else []
    assert beats == [0, 55, 110, 165]


def test_a_heartbeat_that_did_not_arrive_is_due_at_the_next_look(now: datetime) -> None:
    taken(a_camera(), now)
    assert due(now)
    heartbeats.note_missed_beat(instance="here")
    assert due(now + seconds(10))
    assert not due(now + seconds(11))


def test_a_camera_that_joins_brings_no_heartbeat_forward(now: datetime) -> None:
    taken(a_camera(1), now)
    assert due(now)
    taken(a_camera(2), now)
    assert not due(now + seconds(1))


def test_who_holds_nothing_has_no_heartbeat(now: datetime) -> None:
    taken(a_camera(), now)
    assert not due(now, "elsewhere")
    assert not due(now + seconds(12))


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_of_an_instance_at_once_one_beats(now: datetime) -> None:
    for number in range(3):
        taken(a_camera(number), now)
    assert sorted(at_once([lambda: due(now)] * 4)) == [False, False, False, True]


def test_a_camera_that_its_registry_refuses_is_noticed_as_taken_back(now: datetime) -> None:
    lease = held(taken(a_camera(7), now), now)
    heartbeats.note_refused_camera(registry="laravel", external_id=7, at=now + seconds(1))
    assert claims.was_taken_back(lease=lease)


# --- clocks --------------------------------------------------------------------------------------


def test_after_a_clock_was_set_back_nobody_is_believed_for_longer_than_a_lease(
    now: datetime,
) -> None:
    camera = a_camera()
    ahead = now + seconds(3600)
    lease = held(taken(camera, ahead), ahead)
    Camera.objects.update(listed_at=ahead - seconds(1))
    assert rings(now) == [], "its watcher may live, and has a lease time to say so"
    assert not claims.was_taken_back(lease=lease)
    assert take(camera, now + seconds(11.9)) is None
    assert rings(now + seconds(12)) == [Ring(camera.pk, "here")]
    assert taken(camera, now + seconds(12)).inherited


def test_the_databases_clock_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        assert abs((claims.database_now() - timezone.now()).total_seconds()) < 1
        return
    monkeypatch.setattr(timezone, "now", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    first = claims.database_now()
    assert first.year > 2001
    assert claims.database_now() > first, "also within one transaction"


# --- states --------------------------------------------------------------------------------------


def test_a_change_of_state_is_dated_and_logged_once(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    camera = a_camera(state_changed_at=now - seconds(100))
    lease = taken(camera, now)
    with caplog.at_level(logging.INFO, "detection.services.cameras"):
        for _ in range(2):
            cameras.set_camera_state(
                lease=lease, state=CameraState.ERROR, reason="refused: the port is shut"
            )
    assert caplog.messages == [f"camera {camera.pk} is ERROR: refused: the port is shut"]
    camera.refresh_from_db()
    assert (camera.state, camera.reason) == ("error", "refused: the port is shut")
    assert camera.state_changed_at >= now


def test_another_reason_is_a_transition_too(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    lease = taken(a_camera(), now)
    with caplog.at_level(logging.INFO, "detection.services.cameras"):
        for reason in ("refused", "auth_failed"):
            cameras.set_camera_state(lease=lease, state=CameraState.ERROR, reason=reason)
    assert len(caplog.messages) == 2


def test_a_state_without_a_time_to_retry_takes_an_old_one_away(now: datetime) -> None:
    camera = a_camera()
    lease = taken(camera, now)
    cameras.set_camera_state(
        lease=lease, state=CameraState.ERROR, reason="x", retry_at=now + seconds(30)
    )
    camera.refresh_from_db()
    assert camera.retry_at == now + seconds(30)
    cameras.set_camera_state(lease=lease, state=CameraState.RUNNING)
    camera.refresh_from_db()
    assert (camera.state, camera.reason) == ("running", "")
    assert camera.retry_at is None


def test_a_reason_longer_than_its_column_is_cut(now: datetime) -> None:
    camera = a_camera()
    cameras.set_camera_state(lease=taken(camera, now), state=CameraState.ERROR, reason="x" * 900)
    camera.refresh_from_db()
    assert camera.reason == "x" * 500


def test_who_was_overtaken_says_nothing_of_the_camera(now: datetime) -> None:
    camera = a_camera()
    old = taken(camera, now)
    new = taken(camera, now + seconds(12), "elsewhere")
    cameras.set_camera_state(lease=new, state=CameraState.RUNNING)
    cameras.set_camera_state(
        lease=old, state=CameraState.ERROR, reason="stalled", retry_at=now + seconds(99)
    )
    camera.refresh_from_db()
    assert (camera.state, camera.reason, camera.retry_at) == ("running", "", None)
