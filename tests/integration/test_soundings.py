"""The history of sirens, and the siren of one episode: off for the rest of it, and on again.

A worker's process and the web's each have a keeper of their own here, with a real broker between.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from detection.models import AuditRecord, Camera, Episode, EpisodeStatus, StationAccess, Verdict
from detection.services import reviews
from detection.services.review_steps import Actor
from integrations import tasks
from integrations.alarms.tapo import TapoAlarm
from integrations.models import SilencedBy, Siren, Sounding
from integrations.ports import AlarmAddress
from integrations.services import retention, siren_keeper, siren_trial, sirens
from integrations.services import siren_board as board
from integrations.services.siren_board import Word
from integrations.services.siren_keeper import Keeper
from integrations.services.siren_rearming import CannotRearm, rearm, turn_off
from integrations.services.siren_silencing import CannotSilence, silence_by_hand
from integrations.services.siren_trial import try_siren
from simulators.tapo import SimulatedTapo
from tests.integration import siren_site
from tests.integration.siren_site import an_episode, starts
from tests.rows import officer
from tests.services import wait_until

pytestmark = siren_site.MARKS


@pytest.fixture(autouse=True)
def keeper(
    settings: Settings,
    broker_url: str,
    broker: "redis.Redis",
    tapo: SimulatedTapo,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Keeper]:
    siren_site.leave_only_tapo(settings)
    siren_site.set_environment(
        settings, siren_seconds=20.0, siren_rearm_seconds=0.3, redis_url=broker_url
    )
    with siren_site.process_that_answers(monkeypatch) as keeper:
        yield keeper
        tapo.accept_control()


@pytest.fixture
def camera(tapo: SimulatedTapo) -> Camera:
    camera = siren_site.a_camera(tapo.host, tapo.control_port)
    sirens.warm_camera(camera_id=camera.pk)
    return camera


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password="x")


def sounding(camera: Camera) -> UUID:
    """An episode whose siren sounds, as the database knows."""
    episode_id = an_episode(camera)
    assert sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    wait_until(Sounding.objects.filter(episode_id=episode_id).exists, "it is written")
    return episode_id


def end(episode_id: UUID) -> None:
    """As its watcher does."""
    Episode.objects.filter(pk=episode_id).update(
        status=EpisodeStatus.CLEARED, ended_at=timezone.now()
    )
    sirens.silence_siren(
        camera_id=Episode.objects.get(pk=episode_id).camera_id, episode_id=episode_id
    )


def closed() -> Sounding:
    """The newest sounding, once it is over."""

    def over() -> bool:
        newest = Sounding.objects.last()
        return newest is not None and newest.silenced_at is not None

    wait_until(over, "it is closed", 6)
    return Sounding.objects.latest("pk")


def row_is_silent() -> bool:
    return Siren.objects.get().silent_at is not None


def rung(broker: "redis.Redis") -> list[tuple[str, list[Any]]]:
    """Tasks that wait for the alarms worker, the oldest first, with what they were given."""
    messages: list[bytes] = broker.lrange("alarms", 0, -1)  # type: ignore[assignment] # not awaitable here
    bodies = [json.loads(message) for message in reversed(messages)]
    return [(body["headers"]["task"], body["headers"]["argsrepr"]) for body in bodies]


# --- the history ----------------------------------------------------------------------------------


def test_nothing_is_asked_of_the_database_before_the_siren_sounds(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    sound = TapoAlarm.sound

    with CaptureQueriesContext(connection) as queries:

        def count(alarm: TapoAlarm, where: AlarmAddress, seconds: float) -> None:
            asked.append(len(queries))
            sound(alarm, where, seconds)

        monkeypatch.setattr(TapoAlarm, "sound", count)
        sirens.sound_siren(camera_id=camera.pk, episode_id=uuid4())
    assert asked[0] == 0


def test_a_sounding_tells_when_it_was_asked_for_heard_and_ended_and_why(camera: Camera) -> None:
    began = timezone.now()
    episode_id = sounding(camera)
    end(episode_id)
    told = closed()
    assert (told.camera, told.episode_id, told.method) == (camera, episode_id, "tapo")
    assert told.answered_at is not None and told.silenced_at is not None
    assert began <= told.asked_at <= told.answered_at <= told.silenced_at <= timezone.now()
    assert (told.silenced_by, told.officer, told.error) == (SilencedBy.EPISODE, "", "")
    assert Sounding.objects.count() == 1


def test_a_sounding_whose_time_is_over_says_so(camera: Camera, settings: Settings) -> None:
    siren_site.set_environment(settings, siren_seconds=0.6)
    sounding(camera)
    assert closed().silenced_by == SilencedBy.TIME


def test_a_dismissal_is_named_with_its_officer(
    camera: Camera, ann: User, broker: "redis.Redis"
) -> None:
    episode_id = sounding(camera)
    reviews.review_episode(
        episode_id=episode_id, verdict=Verdict.DISMISSED, by=Actor(ann), reason="no_crime"
    )
    told = closed()
    assert (told.silenced_by, told.officer) == (SilencedBy.DISMISSAL, "ann")


def test_a_siren_that_never_sounded_keeps_why(
    tapo: SimulatedTapo, camera: Camera, settings: Settings
) -> None:
    tapo.refuse_control()
    episode_id = an_episode(camera)
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    wait_until(lambda: Sounding.objects.exclude(error="").exists(), "it is written")
    tapo.accept_control()
    end(episode_id)
    told = closed()
    assert told.error.startswith("tapo: ") or told.answered_at is not None
    assert told.silenced_at is not None


def test_a_test_is_a_sounding_without_an_episode(
    camera: Camera, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_trial, "TRIAL_SECONDS", 0.1)
    try_siren(camera=camera, user=ann)
    told = closed()
    assert (told.episode_id, told.silenced_by) == (None, SilencedBy.TEST)


def test_a_process_that_goes_on_for_another_goes_on_with_its_row(
    tapo: SimulatedTapo, camera: Camera, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(siren_keeper, "KEEPER", Keeper(attended=False))
    episode_id = sounding(camera)  # and nobody lives to look after it
    monkeypatch.setattr(siren_keeper, "KEEPER", keeper)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    for siren_id in sirens.sirens_to_tend(at=timezone.now()):
        sirens.tend_siren(siren_id=siren_id)
    told = closed()
    assert not tapo.siren_on
    assert (told.episode_id, told.silenced_by) == (episode_id, SilencedBy.EPISODE)
    assert Sounding.objects.count() == 1


def test_the_next_episode_takes_the_siren_over(camera: Camera) -> None:
    first = sounding(camera)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    second = sounding(camera)
    taken = Sounding.objects.get(episode_id=first)
    assert taken.silenced_by == SilencedBy.ANOTHER
    end(second)
    assert closed().silenced_by == SilencedBy.EPISODE
    assert Sounding.objects.count() == 2


def test_old_soundings_go_but_not_those_of_an_episode_on_hold(
    camera: Camera, settings: Settings
) -> None:
    old = timezone.now() - timedelta(days=settings.ENVIRONMENT.delivery_keep_days + 1)
    held, free = an_episode(camera), uuid4()
    Episode.objects.update(held_at=timezone.now())
    for episode_id in (held, free, None):
        Sounding.objects.create(camera=camera, episode_id=episode_id, asked_at=old)
    Sounding.objects.create(camera=camera, episode_id=free, asked_at=timezone.now())
    retention.prune(at=timezone.now())
    assert [row.episode_id for row in Sounding.objects.all()] == [held, free]


# --- off and on again -----------------------------------------------------------------------------


def test_an_officer_turns_it_off_for_the_rest_of_the_episode_and_on_again(
    tapo: SimulatedTapo, camera: Camera, ann: User, broker: "redis.Redis", keeper: Keeper
) -> None:
    episode_id = sounding(camera)
    episode = Episode.objects.get()
    said = turn_off(episode=episode, user=ann)
    assert "It is silent, as confirmed by “tapo”." in said
    told = closed()
    assert not tapo.siren_on
    assert (told.silenced_by, told.officer) == (SilencedBy.OFFICER, "ann")
    wait_until(row_is_silent, "the row says so")
    wait_until(keeper.is_idle, "whoever silenced it has let it go")
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id), (
        "a ring that was late"
    )
    assert sirens.sirens_to_tend(at=timezone.now() + timedelta(seconds=6)) == []

    said = rearm(episode=episode, user=ann)
    assert said == "It is asked to sound again, for 20 s while the episode lasts."
    ((task, _),) = rung(broker)
    assert task == "integrations.sound_siren"
    tasks.sound_siren(camera.pk, str(episode_id))
    wait_until(lambda: tapo.siren_on, "it sounds again")
    wait_until(lambda: Sounding.objects.count() == 2, "as another row")
    end(episode_id)
    assert closed().silenced_by == SilencedBy.EPISODE
    assert not tapo.siren_on
    assert [r.action for r in AuditRecord.objects.filter(object_type="detection.episode")] == [
        "siren_rearmed",
        "siren_silenced",
        "siren_silenced",
    ]


def test_a_siren_off_is_heard_by_the_process_that_sounds_it(
    tapo: SimulatedTapo, camera: Camera, ann: User, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounding(camera)
    web = Keeper()
    monkeypatch.setattr(siren_keeper, "KEEPER", web)
    turn_off(episode=Episode.objects.get(), user=ann)
    wait_until(lambda: keeper.is_idle() and web.is_idle(), "both let it go", 6)
    assert not tapo.siren_on
    told = closed()
    assert (told.silenced_by, told.officer) == (SilencedBy.OFFICER, "ann")
    assert Sounding.objects.count() == 1


def test_a_siren_that_was_not_heard_yet_is_off_all_the_same(
    tapo: SimulatedTapo, camera: Camera, ann: User
) -> None:
    episode_id = an_episode(camera)
    turn_off(episode=Episode.objects.get(), user=ann)
    sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    Episode.objects.update(decided_at=timezone.now() - timedelta(seconds=5))
    wait_until(row_is_silent, "it is confirmed")
    assert sirens.sirens_to_tend(at=timezone.now()) == [], "nor does the sweep adopt it"
    assert starts(tapo) == 0


def test_where_the_ring_to_sound_again_is_lost_the_sweep_sounds_it(
    tapo: SimulatedTapo,
    camera: Camera,
    ann: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sounding(camera)
    turn_off(episode=Episode.objects.get(), user=ann)
    wait_until(row_is_silent, "it is off")
    before = starts(tapo)
    monkeypatch.setattr(sirens, "ring_siren", lambda **_: None)
    rearm(episode=Episode.objects.get(), user=ann)
    assert sirens.sirens_to_tend(at=timezone.now()) == [], "the ring may still be on its way"
    later = timezone.now() + timedelta(seconds=6)
    (siren_id,) = sirens.sirens_to_tend(at=later)
    sirens.tend_siren(siren_id=siren_id)
    assert tapo.siren_on and starts(tapo) > before


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"status": "cleared"}, "the episode is over"),
        ({"verdict": "dismissed"}, "the episode is dismissed; undo that first"),
    ],
)
def test_it_sounds_again_for_no_episode_that_is_over_or_dismissed(
    tapo: SimulatedTapo, camera: Camera, ann: User, fields: dict[str, str], why: str
) -> None:
    an_episode(camera)
    Episode.objects.update(**fields)
    with pytest.raises(CannotRearm, match=why):
        rearm(episode=Episode.objects.get(), user=ann)
    assert starts(tapo) == 0 and not AuditRecord.objects.exists()


def test_it_is_not_asked_twice_nor_while_sirens_are_switched_off(
    camera: Camera, ann: User, settings: Settings
) -> None:
    episode_id = sounding(camera)
    with pytest.raises(CannotRearm, match="it sounds already"):
        rearm(episode=Episode.objects.get(), user=ann)
    siren_site.set_environment(settings, siren_enabled=False)
    with pytest.raises(CannotRearm, match="sirens are switched off: set SIREN_ENABLED"):
        rearm(episode=Episode.objects.get(), user=ann)
    end(episode_id)


def test_an_episode_turns_off_no_other_episodes_siren(
    tapo: SimulatedTapo, camera: Camera, ann: User
) -> None:
    old = an_episode(camera)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    with pytest.raises(CannotSilence, match="it is silent, and the episode is over"):
        turn_off(episode=Episode.objects.get(pk=old), user=ann)
    newer = sounding(camera)
    with pytest.raises(CannotSilence, match="it sounds for another episode or a test"):
        turn_off(episode=Episode.objects.get(pk=old), user=ann)
    assert tapo.siren_on
    end(newer)


def test_an_episode_turns_off_no_siren_that_began_to_sound_meanwhile(
    camera: Camera, ann: User
) -> None:
    old = sounding(camera)
    wait_until(Siren.objects.filter(episode_id=old).exists, "the row says so")
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    newer = uuid4()  # its worker has it by the board, and the row still says the old one's
    board.take(camera.pk, newer)
    turn_off(episode=Episode.objects.get(pk=old), user=ann)
    assert board.look(camera.pk, newer) is Word.TAKEN, "whoever sounds it goes on"


def test_a_history_that_cannot_be_written_leaves_no_siren_on(
    tapo: SimulatedTapo, camera: Camera, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sounding(camera)
    monkeypatch.setattr(QuerySet, "update", locked_for(Sounding, QuerySet.update))
    silence_by_hand(camera=camera, user=ann)
    assert not tapo.siren_on


def locked_for(model: type[Sounding], update: Any) -> Any:
    """Updates of this model's rows find the database locked."""

    def attempt(rows: QuerySet[Any], **fields: Any) -> Any:
        if rows.model is model:
            raise OperationalError("database is locked")
        return update(rows, **fields)

    return attempt


def test_after_an_undone_dismissal_the_siren_is_silent_until_it_is_rearmed(
    tapo: SimulatedTapo, camera: Camera, ann: User
) -> None:
    from detection.services.review_undoing import undo_step

    episode_id = sounding(camera)
    reviews.review_episode(
        episode_id=episode_id, verdict=Verdict.DISMISSED, by=Actor(ann), reason="no_crime"
    )
    closed()
    wait_until(row_is_silent, "it is silent")
    undo_step(episode_id=episode_id, by=Actor(ann))
    assert not sirens.sound_siren(camera_id=camera.pk, episode_id=episode_id)
    assert not tapo.siren_on
    rearm(episode=Episode.objects.get(), user=ann)
    tasks.sound_siren(camera.pk, str(episode_id))
    wait_until(lambda: tapo.siren_on, "it sounds again")
    end(episode_id)


# --- the addresses --------------------------------------------------------------------------------


def test_a_script_turns_it_off_and_on_and_is_told_the_state(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode_id = sounding(camera)
    client = officer("ann", "view_episode", "change_siren")
    address = f"/admin/integrations/siren/episode/{episode_id}"
    asked = {"headers": {"accept": "application/json"}}
    off = client.post(f"{address}/off/", **asked)  # type: ignore[arg-type]
    assert off.json()["ok"] and off.json()["message"].startswith("Siren: It is silent")
    wait_until(row_is_silent, "it is off")
    on = client.post(f"{address}/rearm/", **asked)  # type: ignore[arg-type]
    assert on.json() == {
        "ok": True,
        "message": "Siren: It is asked to sound again, for 20 s while the episode lasts.",
        "verdict": "unreviewed",
        "undo": None,
        "state": "asked",
        "state_label": "Asked to sound",
    }
    again = client.post(f"{address}/rearm/", **asked)  # type: ignore[arg-type]
    assert (again.status_code, again.json()["ok"]) == (409, False)
    assert again.json()["message"] == "Siren: Not done: it sounds already."
    end(episode_id)


def test_a_form_comes_back_to_the_episode(camera: Camera) -> None:
    episode_id = an_episode(camera)
    Episode.objects.update(status=EpisodeStatus.CLEARED)
    client = officer("ann", "view_episode", "change_siren")
    page = client.post(f"/admin/integrations/siren/episode/{episode_id}/rearm/", follow=True)
    assert page.redirect_chain == [(f"/admin/detection/episode/{episode_id}/change/", 302)]
    assert "Siren: Not done: the episode is over." in page.text


def test_the_siren_of_an_episode_needs_its_permission_a_post_and_its_station(
    tapo: SimulatedTapo, camera: Camera
) -> None:
    episode_id = an_episode(camera)
    client = officer("ann", "view_episode", "change_siren")
    StationAccess.objects.filter(user__username="ann").update(all_stations=False)
    for act in ("off", "rearm"):
        address = f"/admin/integrations/siren/episode/{episode_id}/{act}/"
        assert officer(f"viewer-{act}", "view_episode").post(address).status_code == 403
        assert client.post(address).status_code == 404
        assert client.get(address).status_code == 405
    assert tapo.siren_calls == []
