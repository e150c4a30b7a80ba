"""An officer takes the bundle, which verifies, hands on a link, and prints the report."""

import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from detection.models import Episode, EpisodeEvent, EvidenceKind
from tests.browser.desk import Desk
from tests.browser.filmed import clip, recording, snapshot
from tests.rows import a_camera, a_delivery, a_file, an_episode

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def episode(settings: Settings) -> Episode:
    """One of which there is as much to say as a report holds."""
    settings.TIME_ZONE = "Asia/Riyadh"
    began = timezone.now() - timedelta(hours=3)
    camera = a_camera(name="Loading bay, north gate", station_id=12)
    episode = an_episode(
        camera,
        started_at=began,
        crime_type="break_in",
        confirmed_at=began + timedelta(seconds=8),
        confidence_timeline=[[second, 40 + 5 * (second % 11)] for second in range(43)],
        verdict="confirmed",
        reviewed_at=began + timedelta(minutes=9),
        note="Two men forced the side door with a crowbar. " * 9,
        reason="person 7 stayed at the door “side door” for 31 s and bent down to its handle",
    )
    for step, kind in enumerate(["opened", *["confirmed"] * 9, "cleared"], start=1):
        EpisodeEvent.objects.create(
            episode=episode,
            step=step,
            kind=kind,
            crime_type="theft" if step == 3 else "break_in",
            at=began + timedelta(seconds=9 * step),
        )
    for sequence, kind in enumerate(["alert"] * 6 + ["crime", "stop"], start=1):
        a_delivery(episode, sequence, kind=kind, status="delivered", delivered_at=timezone.now())
    a_file(episode, EvidenceKind.SNAPSHOT, snapshot())
    a_file(episode, EvidenceKind.CLEAN_SNAPSHOT, snapshot() + b"\0")
    a_file(episode, EvidenceKind.PREVIEW, b"RIFF a preview")
    a_file(episode, EvidenceKind.RECORDING, recording())
    a_file(episode, EvidenceKind.CLIP, clip(), facts={"seconds": 12.0})
    return episode


@pytest.fixture
def report(desk: Desk, episode: Episode, tmp_path: Path, browser: "Browser") -> "Iterator[Page]":
    """The report as somebody opens it who has unpacked the bundle, without a network."""
    place = unpacked(bundle_of(desk, episode, tmp_path), tmp_path)
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto((place / "report.html").as_uri())
    yield page
    context.close()


def bundle_of(desk: Desk, episode: Episode, folder: Path) -> Path:
    """What the browser saves after one click."""
    desk.open("detection_episode_change", episode.pk)
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name="Download the bundle").click()
    saved = folder / download.value.suggested_filename
    download.value.save_as(saved)
    return saved


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as zipped:
        zipped.extractall(folder)
    return bundle.with_suffix("")


def test_the_bundle_comes_by_one_click_and_verifies(
    desk: Desk, episode: Episode, tmp_path: Path
) -> None:
    saved = bundle_of(desk, episode, tmp_path)
    assert re.fullmatch(r"episode-\d{4}-\d\d-\d\d-\d{6}-[0-9a-f]{8}\.zip", saved.name)
    call_command("verify_evidence", bundle=saved)


def test_the_report_is_one_sheet_that_fetches_nothing(report: "Page") -> None:
    assert report.locator("h1").inner_text() == "Break in · Loading bay, north gate"
    assert report.locator("img").count() == 2
    shown = report.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert shown
    pages = re.findall(rb"/Type\s*/Page[^s]", report.pdf(prefer_css_page_size=True))
    assert len(pages) == 1


def test_the_report_can_be_read_by_everybody_and_on_a_phone(
    report: "Page", desk: Desk, episode: Episode
) -> None:
    reader = Desk(report, "", desk.officer)
    assert reader.barriers() == []
    reader.on_a_phone()
    assert reader.overflow() == 0


def test_a_link_is_made_used_by_a_stranger_and_taken_back(
    desk: Desk, episode: Episode, browser: "Browser"
) -> None:
    desk.open("detection_episode_change", episode.pk)
    page = desk.page
    page.get_by_text("Links for people without an account").click()
    page.get_by_label("For whom").fill("district court")
    page.get_by_role("button", name="Make a link").click()
    address = page.get_by_label("Address of the link").input_value()
    stranger = browser.new_context().new_page()
    answer = stranger.goto(address)
    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    stranger.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name="Take it back").click()
    page.get_by_text("The link is taken back.").wait_for()
    again = stranger.goto(address)
    assert again is not None
    assert again.status == 404
    stranger.context.close()


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_section_can_be_used_by_everybody_and_on_a_phone(
    is_dark: bool, desk: Desk, episode: Episode
) -> None:
    if is_dark:
        desk.in_the_dark()
    desk.open("detection_episode_change", episode.pk)
    desk.page.get_by_text("Links for people without an account").click()
    assert desk.barriers() == []
    desk.on_a_phone()
    assert desk.overflow() == 0
