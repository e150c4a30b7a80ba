"""A kept clip in a real player: it plays, tells its length, and a seek shows the right second."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from detection.domain.geometry import Polygon
from detection.evidence.spool_folder import ClipOrder
from detection.evidence.spooled_clip import SpooledClip
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Episode
from detection.services.clips import finish_clip
from tests.browser.desk import Desk
from tests.films import a_ring, level_of
from tests.rows import a_camera, an_episode

# Whether it can be played, how long it is, and what is seen at these seconds.
PLAY = """async ([address, places]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  const told = (name) => new Promise((resolve, reject) => {
    video.addEventListener(name, resolve, {once: true});
    video.addEventListener("error", () => reject(new Error(video.error.message)), {once: true});
  });
  document.body.append(video);
  const loaded = told("loadeddata");
  video.src = address;
  await loaded;
  const seen = {seconds: video.duration, width: video.videoWidth, height: video.videoHeight};
  seen.levels = [];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [seen.width, seen.height];
  const context = canvas.getContext("2d");
  for (const place of places) {
    const sought = told("seeked");
    video.currentTime = place;
    await sought;
    context.drawImage(video, 0, 0);
    const [red, green, blue] = context.getImageData(seen.width - 5, seen.height - 5, 1, 1).data;
    seen.levels.push((red + green + blue) / 3);
  }
  video.currentTime = 0;
  const on = told("timeupdate");
  await video.play();
  await on;
  await new Promise((resolve) => setTimeout(resolve, 700));
  seen.played = video.currentTime;
  return seen;
}"""


def a_clip(spool: Path, masks: tuple[Polygon, ...] = (), **how: Any) -> Episode:
    began = time.time() - 100
    episode = an_episode(a_camera(), started_at=datetime.fromtimestamp(began, UTC))
    order = ClipOrder(str(episode.pk), episode.camera_id, began, began + 10)
    ring = a_ring(began, 240, size=(128, 96), key_every=24, **how)
    clip = SpooledClip(spool / str(episode.pk), order, ring, masks, 600)
    clip.close()
    clip.pull()
    clip.finish()
    finish_clip(clip.folder, DjangoEvidenceStore())
    return episode


@pytest.mark.parametrize("kind", ["copied", "with B-frames", "masked", "from MJPEG"])
def test_a_clip_plays_and_a_seek_shows_that_second(desk: Desk, tmp_path: Path, kind: str) -> None:
    masks = (Polygon.of([[0, 0], [0.4, 0], [0.4, 1], [0, 1]]),) if kind == "masked" else ()
    ways: dict[str, dict[str, Any]] = {
        "with B-frames": {"b_frames": 2},
        "from MJPEG": {"codec": "mjpeg"},
    }
    how = ways.get(kind, {})
    episode = a_clip(tmp_path / "spool", masks, **how)
    desk.open("index")
    address = reverse("admin:detection_episode_evidence", args=(episode.pk, "clip"))
    # The middle of pictures, out of their order: 0.1 s each.
    places = [12.05, 3.25, 23.95, 0.05]
    seen = desk.page.evaluate(PLAY, [address, places])
    assert (seen["width"], seen["height"]) == (128, 96)
    assert seen["seconds"] == pytest.approx(24.0, abs=0.05)
    expected = [level_of(int(place * 10)) for place in places]
    assert seen["levels"] == [pytest.approx(level, abs=3.5) for level in expected]
    assert seen["played"] > 0.3


def test_a_preview_is_a_moving_picture(desk: Desk, tmp_path: Path) -> None:
    episode = a_clip(tmp_path / "spool")
    desk.open("index")
    address = reverse("admin:detection_episode_evidence", args=(episode.pk, "preview"))
    seen = desk.page.evaluate(
        """async (address) => {
          const decoder = new ImageDecoder({data: (await fetch(address)).body, type: "image/webp"});
          await decoder.completed;
          const track = decoder.tracks.selectedTrack;
          return {frames: track.frameCount, animated: track.animated};
        }""",
        address,
    )
    assert seen["animated"]
    assert 10 <= seen["frames"] <= 16
