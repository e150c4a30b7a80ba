"""An episode's recording: written, attached, removed with it, and played again by command."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from detection.analysis import SceneAnalysis
from detection.domain.geometry import Box
from detection.domain.moments import Moment
from detection.domain.recordings import read
from detection.domain.tracks import Track
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import (
    AuditRecord,
    Camera,
    Episode,
    EvidenceFile,
    StationAccess,
    Trouble,
    Zone,
)
from detection.recording import EpisodeRecorder
from detection.rules.loitering import Loitering
from detection.rules.trespassing import Trespassing
from detection.services import claims, retention, setups
from detection.services.holding import Holding, Mark
from tests.integration.evidence_places import keep_in_folder

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)
CORNERS = [[0.3, 0.4], [0.6, 0.4], [0.6, 0.6], [0.3, 0.6]]
INSIDE, OUTSIDE = Box(0.4, 0.2, 0.44, 0.5), Box(0.8, 0.2, 0.84, 0.5)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture(autouse=True)
def _two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people of these scenes are in two places only: other rules would see them fly."""
    monkeypatch.setattr(setups, "rule_types", lambda: [Trespassing, Loitering])


@pytest.fixture
def camera() -> Camera:
    camera = Camera.objects.create(registry="local", name="Yard", external_id=1)
    Zone.objects.create(camera=camera, name="yard", kind="restricted", polygon=CORNERS)
    return camera


@pytest.fixture
def recorder(camera: Camera) -> Iterator[EpisodeRecorder]:
    lease = claims.take_lease(
        camera_id=camera.pk, instance="here", worker="w", max_cameras=1, at=timezone.now()
    )
    assert lease is not None
    recorder = EpisodeRecorder(Holding(lease, Mark.now()), DjangoEvidenceStore())
    yield recorder
    recorder.close()


def visit(camera: Camera, recorder: EpisodeRecorder, seconds: float, began: float = 0) -> Episode:
    """Somebody walks into the yard for so long, and out again; four frames a second."""
    scene = SceneAnalysis(
        None, setups.rule_types(), setups.load_setup(camera.pk), setups.site_policy()
    )
    for tick in range(round(4 * (seconds + 20))):  # until the post-roll is over
        second = tick / 4
        place = INSIDE if 2 <= second < 2 + seconds else OUTSIDE
        at = AT + timedelta(seconds=began + second)
        judged = scene.weigh(Moment(at, [Track(7, "person", 0.9, place)]))
        recorder.see(judged)
        for event in judged.events:
            recorder.record(event, scene.timeline)
    return Episode.objects.latest("started_at")


def review(episode: Episode, verdict: str) -> None:
    Episode.objects.filter(pk=episode.pk).update(verdict=verdict)


# --- written -------------------------------------------------------------------------------------


def test_what_the_rules_saw_is_kept_beside_the_picture_when_the_episode_ends(
    camera: Camera, recorder: EpisodeRecorder, folder: Path
) -> None:
    episode = visit(camera, recorder, seconds=3)
    assert episode.status == "cleared"
    kept = episode.files.get()
    assert kept.name.startswith(f"episodes/{episode.pk}/0001-recording-")
    recording = read((folder / kept.name).read_bytes())
    assert recording.began_at == AT, "the time before the alert is kept as well"
    assert episode.ended_at is not None
    post_roll = timedelta(seconds=10)
    assert recording.moments[-1].moment.at == episode.ended_at + post_roll, "as its video does"
    said = [rule for seen in recording.moments for rule, _ in seen.held]
    assert said == ["trespassing"] * 12


def test_an_open_episode_has_no_recording_yet(camera: Camera, recorder: EpisodeRecorder) -> None:
    scene = SceneAnalysis(
        None, setups.rule_types(), setups.load_setup(camera.pk), setups.site_policy()
    )
    for tick in range(8):
        at = AT + timedelta(seconds=tick / 4)
        judged = scene.weigh(Moment(at, [Track(7, "person", 0.9, INSIDE)]))
        recorder.see(judged)
        for event in judged.events:
            recorder.record(event, scene.timeline)
    assert not EvidenceFile.objects.exists()


def test_a_disk_that_takes_no_recording_stops_no_episode_and_is_named(
    camera: Camera, recorder: EpisodeRecorder, folder: Path
) -> None:
    folder.mkdir()
    (folder / "episodes").write_text("a file where a folder should be: it fails for root as well")
    episode = visit(camera, recorder, seconds=3)
    assert (episode.status, episode.files.count()) == ("cleared", 0)
    assert "no recording is kept" in Trouble.objects.get().text
    (folder / "episodes").unlink()
    assert visit(camera, recorder, seconds=3, began=60).files.exists()
    assert not Trouble.objects.exists()


def test_the_recording_goes_with_its_episodes_evidence(
    camera: Camera, recorder: EpisodeRecorder, folder: Path
) -> None:
    episode = visit(camera, recorder, seconds=3)
    retention.prune(at=AT + timedelta(days=89))
    assert (folder / episode.files.get().name).is_file()
    retention.prune(at=AT + timedelta(days=91))
    assert not (folder / episode.files.get().name).exists()
    assert episode.files.get().removed_why == "age", "its row stays, and says why"


def test_a_recording_of_a_dismissed_episode_makes_room_before_a_crimes(
    camera: Camera, recorder: EpisodeRecorder, folder: Path, settings: Settings
) -> None:
    crime = visit(camera, recorder, seconds=3)
    review(crime, "confirmed")
    other = visit(camera, recorder, seconds=3, began=60)
    size = (folder / crime.files.get().name).stat().st_size
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={"evidence_max_gb": 1.5 * size / 1e9}
    )
    retention.prune_evidence_by_size(DjangoEvidenceStore(), at=AT)
    assert crime.files.get().removed_at is None
    assert other.files.get().removed_why == "size", "the newer one went"


def test_who_may_see_the_episode_may_see_its_recording_and_nobody_else(
    camera: Camera, recorder: EpisodeRecorder, folder: Path
) -> None:
    episode = visit(camera, recorder, seconds=3)
    address = reverse("admin:detection_episode_evidence", args=(episode.pk, "recording"))

    def answer(name: str, *permissions: str, everywhere: bool = True) -> Any:
        user = User.objects.create_user(name, password="x", is_staff=True)
        StationAccess.objects.create(user=user, all_stations=everywhere)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client.get(address)

    seen = answer("officer", "view_episode")
    assert (seen.status_code, seen["Content-Type"]) == (200, "application/json")
    told = json.loads(gzip.decompress(b"".join(seen.streaming_content)))
    assert told["began_at"] == AT.isoformat()
    assert AuditRecord.objects.filter(username="officer", object_id=str(episode.pk)).exists()
    assert answer("elsewhere", "view_episode", everywhere=False).status_code == 404
    assert answer("clerk", "view_camera").status_code == 404
    assert Client().get(address).status_code == 302
    (folder / episode.files.get().name).unlink()
    assert answer("late", "view_episode").status_code == 404


# --- played again --------------------------------------------------------------------------------


def replay(tmp_path: Path, *arguments: str, **layer: Any) -> dict[str, Any]:
    """What the command writes as JSON; where it fails, the error carries on."""
    out = tmp_path / "out.json"
    if layer:
        (tmp_path / "layer.json").write_text(json.dumps(layer))
        arguments = (*arguments, "--rule-settings", str(tmp_path / "layer.json"))
    call_command("replay", *arguments, "--json", str(out))
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def test_under_the_settings_in_force_nothing_differs(
    camera: Camera, recorder: EpisodeRecorder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episode = visit(camera, recorder, seconds=12)
    review(episode, "confirmed")
    (found,) = replay(tmp_path)["episodes"]
    assert (found["id"], found["change"], found["alert_shift_seconds"]) == (
        str(episode.pk),
        "kept",
        0.0,
    )
    assert (found["crimes_gained"], found["crimes_lost"]) == ([], [])
    assert "KEPT" in capsys.readouterr().out


STRICT = {"trespassing": {"alert": 75}}


def test_a_change_that_loses_a_confirmed_episode_fails_loudly(
    camera: Camera, recorder: EpisodeRecorder, tmp_path: Path
) -> None:
    episode = visit(camera, recorder, seconds=2.5)
    review(episode, "confirmed")
    with pytest.raises(CommandError, match=f"CONFIRMED EPISODES WOULD BE LOST: 1 .*{episode.pk}"):
        replay(tmp_path, thresholds=STRICT)
    assert json.loads((tmp_path / "out.json").read_text())["counts"]["confirmed lost"] == 1


def test_dismissed_episodes_that_vanish_are_a_gain(
    camera: Camera, recorder: EpisodeRecorder, tmp_path: Path
) -> None:
    for began, seconds, verdict in ((0, 2.5, "dismissed"), (60, 12, "confirmed")):
        review(visit(camera, recorder, seconds, began), verdict)
    result = replay(tmp_path, thresholds=STRICT)
    assert result["counts"] == {
        "lost": 1,
        "kept": 1,
        "dismissed gone (a gain)": 1,
        "confirmed lost": 0,
    }
    # 50 % at the first step inside, 76.25 % three seconds later.
    assert result["episodes"][1]["alert_shift_seconds"] == 3.0


def test_camera_time_and_ids_choose_the_episodes(
    camera: Camera, recorder: EpisodeRecorder, tmp_path: Path
) -> None:
    one, two = (visit(camera, recorder, 3, began) for began in (0, 60))
    since = (AT + timedelta(seconds=30)).isoformat()

    def found(*arguments: str) -> list[str]:
        return [row["id"] for row in replay(tmp_path, *arguments)["episodes"]]

    assert found("--camera", str(camera.pk)) == [str(one.pk), str(two.pk)]
    assert found("--since", since) == [str(two.pk)]
    assert found("--episodes", str(one.pk)) == [str(one.pk)]


def test_a_recording_that_is_damaged_or_gone_is_named_and_not_called_lost(
    camera: Camera, recorder: EpisodeRecorder, tmp_path: Path, folder: Path
) -> None:
    damaged, gone = (visit(camera, recorder, 3, began) for began in (0, 60))
    (folder / damaged.files.get().name).write_bytes(b"\x1f\x8b nonsense")
    (folder / gone.files.get().name).unlink()
    rows = replay(tmp_path)["episodes"]
    assert [row["change"] for row in rows] == ["unreadable", "unreadable"]
    assert "gzip" in rows[0]["fault"]
    assert rows[1]["fault"] == "its recording is no longer kept"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--camera", "99"], "there is no camera 99"),
        (["--since", "yesterday"], "“yesterday” is no time"),
        (["--episodes", "seven"], "“seven” is no id"),
        (["--episodes", str(uuid4())], "no recording among those asked for"),
        (["--rule-settings", "/nowhere.json"], "/nowhere.json cannot be read"),
    ],
)
def test_bad_input_is_named(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as raised:
        call_command("replay", *arguments)
    assert raised.value.returncode == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1, column 2: no JSON"),
        ('{"loitring": {}}', "loitring: no such rule"),
        ('{"loitering": {"dwell_seconds": "long"}}', "loitering.dwell_seconds"),
        ('{"thresholds": {"theft": {"alert": 90}}}', r"crime \(80\) must be above alert \(90\)"),
    ],
)
def test_bad_settings_are_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "layer.json"
    file.write_text(text)
    with pytest.raises(CommandError, match=said) as raised:
        call_command("replay", "--rule-settings", str(file))
    assert raised.value.returncode == 2
