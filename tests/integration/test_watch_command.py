"""`manage.py watch`: what it says, films and refuses; with the real detector and no database."""

import json
import os
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from detection.models import Camera, Site, Zone
from simulators.scene import RESTRICTED_ZONE
from simulators.tapo import SimulatedTapo, load_clip
from tests.clips import grey_clip

PASSWORD = "geheim:1"
WHOLE = [[0, 0], [1, 0], [1, 1], [0, 1]]
TRIANGLE = [[0, 0], [1, 0], [1, 1]]


@pytest.fixture(autouse=True)
def _models(model_dir: Path, settings: Any) -> None:
    """The weights of all runs; the site's own rules have their defaults."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"model_dir": model_dir})


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    return zones_file(tmp_path, {"name": "yard", "kind": "restricted", "corners": RESTRICTED_ZONE})


def zones_file(folder: Path, *zones: object) -> Path:
    path = folder / "zones.json"
    path.write_text(json.dumps(zones))
    return path


def watch(*arguments: object, out: StringIO | None = None) -> list[str]:
    """The lines that it wrote."""
    out = out or StringIO()
    call_command("watch", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def news(*arguments: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in watch(*arguments, "--json")]


def pictures(film: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(film)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        return [
            (frame.time or 0.0, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            for frame in container.decode(video=0)
        ]


# --- the demo's scene ----------------------------------------------------------------------------


def test_the_story_of_the_yard_is_told_in_its_order_and_time(
    rendered_scene: Path, yard: Path
) -> None:
    """The intruder enters the yard at 9.0 s and leaves it at 22.0 s; the dwell is 4 s."""
    told = news(rendered_scene, "--zones", yard)
    summary = told.pop()
    at = {entry["what"]: entry["seconds"] for entry in reversed(told)}  # the first of each
    assert [entry["what"] for entry in told if entry["what"] in ("alert", "crime", "ended")] == [
        "alert",
        "crime",
        "ended",
    ]
    assert at["suspected"] == pytest.approx(9.2, abs=0.5)
    assert at["alert"] == pytest.approx(at["suspected"] + 0.6, abs=0.4)
    assert at["crime"] == pytest.approx(at["suspected"] + 5.5, abs=0.6), "3.4 s to 80 %, 2 s there"
    assert at["ended"] == pytest.approx(27.3, abs=0.8), "5 s after the last step"
    suspected = told[0]
    assert suspected["crime_type"] == "trespassing"
    assert suspected["rules"] == ["trespassing"]
    assert "“yard”" in suspected["reason"]
    assert len(told) < 20, "news, and not a line for each of 120 frames"
    assert (summary["episodes"], summary["crimes"]) == (1, ["trespassing"])
    assert summary["frames"] == 120
    assert summary["watched_seconds"] == pytest.approx(39.7, abs=0.1)
    assert summary["frames_per_second"] > 0 < summary["cpu_ms_per_frame"]


def test_lines_are_for_people(rendered_scene: Path, yard: Path) -> None:
    lines = watch(rendered_scene, "--zones", yard, "--limit", 16)
    first, alert = lines[0].split(), next(line for line in lines if "ALERT " in line)
    assert first[0].startswith("0:09.")
    assert first[1:5] == ["suspected", "trespassing", "50", "%"]
    assert "since 0:09." in alert
    assert any("CRIME      trespassing" in line for line in lines)
    assert lines[-4].endswith("it still lasted here")
    assert lines[-2] == "1 episode, 1 crime (trespassing)"
    assert lines[-1].startswith("49 frames of 16.0 s judged in ")
    assert lines[-1].endswith(" ms CPU a frame")


def test_the_film_shows_the_scene_at_its_own_pace(
    rendered_scene: Path, yard: Path, tmp_path: Path
) -> None:
    film = tmp_path / "out.mp4"
    lines = watch(rendered_scene, "--zones", yard, "--limit", 18, "--save", film)
    assert lines[-1].startswith(f"film: {film} (")
    shown = pictures(film)
    assert [at for at, _ in shown[:3]] == pytest.approx([0, 1 / 3, 2 / 3], abs=0.002)
    assert shown[-1][0] == pytest.approx(18.0, abs=0.01)
    height, width = shown[0][1].shape[:2]
    assert width == 640
    assert height > 360 + 60, "a head and a strip around the picture"
    head = {round(at): picture[2:8, 200:500].mean(axis=(0, 1)) for at, picture in shown}
    blue, green, red = head[17]
    assert red > 180 > 120 > max(blue, green), "a crime has a red head"
    assert max(head[5]) < 80, "and quiet a dark one"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp4"] == ["out.mp4"]


def test_the_rate_and_the_settings_can_be_tried(
    rendered_scene: Path, yard: Path, tmp_path: Path
) -> None:
    patient = tmp_path / "patient.json"
    patient.write_text('{"trespassing": {"dwell_seconds": 60}}')
    told = news(rendered_scene, "--zones", yard, "--rule-settings", patient, "--rate", 2)
    assert (told[-1]["episodes"], told[-1]["crimes"]) == (1, [])
    assert told[-1]["frames"] == 80


def test_a_profile_in_which_the_rule_is_not_armed_is_silent(
    rendered_scene: Path, tmp_path: Path
) -> None:
    at_night = {"trespassing": {"armed_in": ["night"]}}
    zone = {"name": "y", "kind": "restricted", "corners": RESTRICTED_ZONE, "settings": at_night}
    zones = zones_file(tmp_path, zone)
    options = ("--zones", zones, "--limit", 12, "--every", 5)
    assert news(rendered_scene, *options, "--profile", "day")[-1]["episodes"] == 0
    assert news(rendered_scene, *options, "--profile", "night")[-1]["episodes"] == 1


def test_ctrl_c_ends_it_well(rendered_scene: Path, yard: Path, tmp_path: Path) -> None:
    class Impatient(StringIO):
        """Presses Ctrl-C at the alert."""

        def write(self, text: str) -> int:
            if "ALERT " in text:
                os.kill(os.getpid(), signal.SIGINT)
            return super().write(text)

    before = signal.getsignal(signal.SIGINT)
    film = tmp_path / "out.mp4"
    lines = watch(rendered_scene, "--zones", yard, "--save", film, out=Impatient())
    assert "1 episode, 0 crimes" in lines
    assert 28 <= len(pictures(film)) <= 33, "up to the alert, at ten seconds"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("real_clip", ["scenes/plaza.avi"], indirect=True)
def test_people_on_a_real_lawn_are_a_crime_on_its_film(real_clip: Path, tmp_path: Path) -> None:
    zones = zones_file(tmp_path, {"name": "all", "kind": "restricted", "corners": WHOLE})
    film = tmp_path / "out.mp4"
    told = news(real_clip, "--zones", zones, "--save", film, "--limit", 10, "--rate", 3)
    assert told[-1]["crimes"] == ["trespassing"]
    assert told[-1]["film"] == str(film)
    assert len(pictures(film)) == told[-1]["frames"] == 31


# --- cameras -------------------------------------------------------------------------------------


@pytest.fixture
def tapo(tmp_path: Path) -> Iterator[SimulatedTapo]:
    clip = load_clip(grey_clip(tmp_path / "grey.mp4", pictures=30))
    with SimulatedTapo(user="viewer", password=PASSWORD, clip=clip) as simulated:
        yield simulated


def test_a_stream_is_watched_for_as_long_as_asked(tapo: SimulatedTapo, tmp_path: Path) -> None:
    film = tmp_path / "out.mp4"
    told = news(tapo.rtsp_url, "--limit", 2, "--rate", 5, "--save", film)
    assert told[-1]["episodes"] == 0
    assert 1.0 < told[-1]["watched_seconds"] < 3.0
    assert len(pictures(film)) == told[-1]["frames"] >= 4


def test_a_stream_that_breaks_for_good_keeps_its_film_and_is_an_error(
    tmp_path: Path, settings: Any
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"max_read_failures": 1})

    film, out = tmp_path / "out.mp4", StringIO()
    clip = load_clip(grey_clip(tmp_path / "short.mp4", pictures=30))
    with (
        SimulatedTapo(user="viewer", password=PASSWORD, clip=clip, loop=False) as ending,
        pytest.raises(CommandError, match=r"^rtsp://127.0.0.1: the camera ended the stream$"),
    ):
        watch(ending.rtsp_url, "--save", film, "--every", 1, out=out)
    assert "0 episodes, 0 crimes" in out.getvalue()
    assert pictures(film)


@pytest.mark.django_db
def test_a_camera_of_the_site_brings_its_zones_and_settings(
    rendered_scene: Path, settings: Any
) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"allow_file_sources": True})
    camera = Camera.objects.create(pk=7, external_id=1, name="Gate", stream_url=str(rendered_scene))
    Zone.objects.create(camera=camera, name="yard", kind="restricted", polygon=RESTRICTED_ZONE)
    assert news("gate", "--limit", 11)[-1]["episodes"] == 1
    assert news(rendered_scene, "--camera", 7, "--limit", 11)[-1]["episodes"] == 1
    Site.objects.create(pk=1, rule_settings={"trespassing": {"enabled": False}})
    assert news("7", "--limit", 11)[-1]["episodes"] == 0


@pytest.mark.django_db
def test_cameras_that_cannot_be_told_apart_are_named_by_their_numbers() -> None:
    for number in (1, 2):
        Camera.objects.create(pk=number, external_id=number, name="Gate", stream_url="rtsp://h/s")
    with pytest.raises(CommandError, match="several cameras are called “gate”: give an id, 1, 2"):
        watch("gate")
    with pytest.raises(CommandError, match="there is no file and no camera “nobody”"):
        watch("nobody")


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.txt", b"no film\n" * 100, "it is text and no video"),
        ("noise.mp4", bytes(range(256)) * 400, "it is no video that can be read"),
        ("empty.mp4", b"", "it is no video that can be read"),
    ],
)
def test_what_is_no_video_is_named_and_leaves_no_film(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=told) as error:
        watch(tmp_path / name, "--save", tmp_path / "out.mp4")
    assert str(error.value).startswith(str(tmp_path / name))
    assert error.value.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_camera_that_cannot_be_reached_is_said_once_and_without_its_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(CommandError) as error:
        watch("rtsp://viewer:geheim@127.0.0.1:9/stream", "--save", tmp_path / "out.mp4")
    assert str(error.value) == "rtsp://127.0.0.1: the camera refuses the connection"
    assert caplog.messages == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("nowhere/at/all.mp4", "there is no file nowhere/at/all.mp4"),
        ("{folder}", "is a folder: give a video in it"),
        ("ftp://host/clip.mp4", "is no camera stream"),
        ("rtsp:///stream", "names no host"),
    ],
)
def test_a_source_that_is_none_is_refused(tmp_path: Path, source: str, told: str) -> None:
    with pytest.raises(CommandError, match=told) as error:
        watch(source.format(folder=tmp_path))
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("save", "told"),
    [
        ("out.avi", "give a name that ends in .mp4"),
        ("no/out.mp4", "there is no folder"),
        ("clip.mp4", "is what is watched: give the film another name"),
    ],
)
def test_a_film_that_cannot_be_is_refused_before_anything_is_watched(
    tmp_path: Path, save: str, told: str
) -> None:
    clip = grey_clip(tmp_path / "clip.mp4", pictures=3)
    before = clip.read_bytes()
    with pytest.raises(CommandError, match=told):
        watch(clip, "--save", tmp_path / save)
    assert clip.read_bytes() == before
    assert list(tmp_path.iterdir()) == [clip]


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--zones", '[\n{"name": "a", "kind": }]', "line 2, column 23: no JSON"),
        ("--zones", '[{"name": "a", "kind": "door", "corners": [[0,0],[1,1]]}]', "zone 1 “a”: a z"),
        ("--zones", "\udcff", "holds no UTF-8 text"),
        ("--zones", None, "cannot be read: No such file"),
        ("--rule-settings", '{"loitring": {}}', "loitring: no such rule; there are"),
        ("--rule-settings", "[1]", "settings are sections of options"),
    ],
)
def test_a_faulty_file_of_zones_or_settings_is_named_with_its_fault(
    tmp_path: Path, option: str, content: str | None, told: str
) -> None:
    clip, file = grey_clip(tmp_path / "clip.mp4", pictures=3), tmp_path / "file.json"
    if content is not None:
        file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(CommandError) as error:
        watch(clip, option, file)
    assert str(error.value).startswith(f"{file}")
    assert told in str(error.value)
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--rate", "0"),
        ("--rate", "fast"),
        ("--every", "1.5"),
        ("--limit", "-1"),
        ("--profile", "noon"),
        ("--begins", "yesterday"),
        ("--rate", "3", "--every", "5"),
        ("--zones", "z.json", "--camera", "1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        watch("clip.mp4", *options)


def test_where_a_setup_watches_nothing_it_is_said(tmp_path: Path) -> None:
    clip, warnings = grey_clip(tmp_path / "clip.mp4", pictures=3), StringIO()
    zones = zones_file(tmp_path, {"name": "m", "kind": "mask", "corners": WHOLE})
    call_command("watch", str(clip), "--zones", str(zones), stdout=StringIO(), stderr=warnings)
    assert "The whole picture is masked" in warnings.getvalue()
