"""The queue of episodes in a browser: looked at, worked through by keyboard, renewed by itself."""

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from detection.domain.crimes import CrimeType
from detection.domain.severity import severity_of
from detection.models import Camera, Episode, EpisodeStatus, EvidenceKind, Verdict
from detection.services.evidence import attach_file
from tests.browser.desk import Desk
from tests.rows import a_camera, an_episode

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LIST = "detection_episode_changelist"
ASK_NOW = "document.dispatchEvent(new Event('visibilitychange'))"  # not only every ten seconds


def with_pictures(episode: Episode) -> None:
    """A grey still, and a preview whose pictures are not."""
    pictures = [Image.new("RGB", (64, 36), colour) for colour in ("grey", "red", "blue")]
    for kind, form, rest in (
        (EvidenceKind.SNAPSHOT, "JPEG", {}),
        (EvidenceKind.PREVIEW, "WEBP", {"save_all": True, "append_images": pictures[1:]}),
    ):
        data = io.BytesIO()
        pictures[0].save(data, form, **rest)
        name = default_storage.save(f"{episode.pk}/{kind}", ContentFile(data.getvalue()))
        attach_file(episode_id=episode.pk, kind=kind, name=name, size=data.tell(), sha256="")


def of(camera: Camera, kind: CrimeType, **fields: Any) -> Episode:
    given = {"crime_type": kind.value, "severity": severity_of(kind, confirmed=False)}
    return an_episode(camera, **{**given, **fields})


@pytest.fixture
def three(desk: Desk) -> list[Episode]:
    """From the most to the least urgent; the last is going on."""
    yard, gate = a_camera(1, name="Yard", station_id=3), a_camera(2, name="Gate by the river")
    made = [
        of(yard, CrimeType.ROBBERY),
        of(yard, CrimeType.THEFT, escalated_at=timezone.now()),
        of(gate, CrimeType.TRESPASSING, status="suspicious", ended_at=None),
    ]
    for episode in made[:2]:
        with_pictures(episode)
    return made


def card(desk: Desk, episode: Episode) -> "Locator":
    return desk.page.locator(f"[data-card='{episode.pk.hex}']")


# --- looked at ------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["cards", "table"])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_queue_is_usable_by_everybody(
    desk: Desk, three: list[Episode], view: str, is_dark: bool
) -> None:
    if is_dark:
        desk.in_the_dark()
    desk.open(LIST, query=f"?view={view}")
    assert desk.barriers() == []
    card(desk, three[0]).locator("input[name=keys]").check()
    desk.page.keyboard.press("f")
    assert desk.barriers() == []
    desk.on_a_phone()
    desk.open(LIST, query=f"?view={view}&q=yard")
    assert desk.barriers() == []
    assert desk.overflow() == 0


def test_the_figures_are_usable_by_everybody(desk: Desk, three: list[Episode]) -> None:
    desk.open("detection_episode_figures")
    assert desk.barriers() == []
    desk.page.locator(".f-days a", has_text="3").click()
    desk.page.wait_for_url("**/episode/?since=*")
    assert desk.page.locator("[data-card]").count() == 3
    desk.in_the_dark()
    desk.on_a_phone()
    desk.open("detection_episode_figures")
    assert desk.barriers() == []
    assert desk.overflow() == 0


def test_filters_are_set_and_taken_away_on_a_phone(desk: Desk, three: list[Episode]) -> None:
    desk.on_a_phone()
    desk.open(LIST)
    desk.page.locator("summary", has_text="Filters").click()
    desk.page.get_by_label("Type").select_option("theft")
    desk.page.get_by_role("button", name="Apply").click()
    assert card(desk, three[1]).is_visible()
    assert desk.page.locator("[data-card]").count() == 1
    desk.page.get_by_role("link", name="Type: Theft").click()
    assert desk.page.locator("[data-card]").count() == 3


def test_the_preview_plays_while_one_looks_and_rests_for_those_who_want_no_motion(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    picture = card(desk, three[0]).locator("img")
    still = picture.get_attribute("src")
    assert still is not None and still.endswith("/snapshot/")
    shows = "([image, end]) => image.src.endsWith(end)"
    element = picture.element_handle()
    card(desk, three[0]).hover()
    desk.page.wait_for_function(shows, arg=[element, "/preview/"])
    card(desk, three[1]).hover()
    desk.page.wait_for_function(shows, arg=[element, "/snapshot/"])
    desk.page.emulate_media(reduced_motion="reduce")
    desk.page.keyboard.press("j")
    assert picture.get_attribute("src") == still


@pytest.mark.parametrize(
    ("query", "verdict", "title", "way_on"),
    [
        ("", None, "No episode yet", "See the cameras"),
        ("?q=zeppelin", "unreviewed", "Nothing matches", "Clear all"),
        ("?verdict=unreviewed", "confirmed", "Nothing waits", "Show those reviewed"),
    ],
)
def test_an_empty_queue_says_what_to_do_next(
    desk: Desk, query: str, verdict: str | None, title: str, way_on: str
) -> None:
    if verdict:
        an_episode(a_camera(), verdict=verdict)
    desk.open(LIST, query=query)
    assert desk.page.get_by_role("heading", name=title).is_visible()
    assert desk.barriers() == []
    desk.page.locator(".q-empty").get_by_role("link", name=way_on).click()
    desk.page.wait_for_load_state()
    assert desk.page.locator("[data-card]").count() == (1 if verdict else 0)


# --- worked through by keyboard -------------------------------------------------------------------


def test_an_officer_dismisses_by_keyboard_and_takes_it_back(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    press = desk.page.keyboard.press
    for key in ("j", "x", "j", "x", "d"):
        press(key)
    assert desk.page.locator("#queue-picked").text_content() == "2"
    desk.page.locator("#queue-reason").select_option("authorised")
    press("Tab")
    press("Enter")
    desk.page.get_by_text("2 episodes dismissed.").wait_for()
    reasons = {Episode.objects.get(pk=one.pk).dismiss_reason for one in three[:2]}
    assert reasons == {"authorised"}
    assert desk.page.title().strip().startswith("(1) Episodes")
    press("u")
    desk.page.get_by_text("2 dismissals undone.").wait_for()
    assert Episode.objects.filter(verdict=Verdict.UNREVIEWED).count() == 3
    assert desk.page.title().strip().startswith("(3) Episodes")


def test_when_all_is_dismissed_nothing_waits_and_it_can_be_taken_back(desk: Desk) -> None:
    episode = an_episode(a_camera())
    desk.open(LIST, query="?verdict=unreviewed")
    desk.page.locator("#queue-all").check()
    desk.page.locator("#queue-reason").select_option("test")
    desk.page.get_by_role("button", name="Dismiss").click()
    desk.page.get_by_role("heading", name="Nothing waits").wait_for()
    assert desk.page.title().strip().startswith("Episodes")
    desk.page.get_by_role("button", name="Undo").click()
    card(desk, episode).wait_for()


def test_keys_move_among_the_cards_open_one_and_are_told(desk: Desk, three: list[Episode]) -> None:
    desk.open(LIST)
    press = desk.page.keyboard.press
    press("?")
    assert desk.page.get_by_role("dialog").is_visible()
    assert desk.barriers() == []
    press("Escape")
    for key, there in (("j", 0), ("ArrowRight", 1), ("j", 2), ("k", 1), ("ArrowLeft", 0)):
        press(key)
        assert card(desk, three[there]).locator("a:focus").count() == 1, key
    press("/")
    desk.page.keyboard.type("gjx")
    assert desk.page.locator("#queue-q").input_value() == "gjx"
    press("Escape")
    press("j")
    press("Enter")
    desk.page.wait_for_url(f"**/{three[0].pk}/change/**")


def test_what_is_going_on_or_was_decided_meanwhile_is_left_and_named(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    assert card(desk, three[2]).locator("input[name=keys]").count() == 0, "it goes on"
    desk.page.locator("#queue-all").check()
    Episode.objects.filter(pk=three[0].pk).update(verdict="confirmed", reviewed_by=desk.officer)
    desk.page.locator("#queue-reason").select_option("no_crime")
    desk.page.get_by_role("button", name="Dismiss").click()
    said = desk.page.locator("#queue-said")
    said.get_by_text("1 episode dismissed.").wait_for()
    assert "Robbery at Yard" in (said.text_content() or "")
    assert "boss has set it to confirmed" in (said.text_content() or "")


# --- renewed by itself ----------------------------------------------------------------------------


def test_a_new_episode_is_announced_and_comes_when_it_is_asked_for(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    first = desk.page.locator("[data-card]").first
    before = first.get_attribute("data-card")
    new = of(
        a_camera(9, name="Bridge"), CrimeType.FIGHTING, severity=180, decided_at=timezone.now()
    )
    desk.page.evaluate(ASK_NOW)
    desk.page.get_by_text("1 new episode").wait_for()
    assert first.get_attribute("data-card") == before, "nothing moves by itself"
    assert desk.page.title().strip().startswith("(4) Episodes")
    badge = desk.page.locator("#nav-sidebar-apps a[href='/admin/detection/episode/']")
    assert (badge.text_content() or "").split()[-1] == "4"
    desk.page.keyboard.press("n")
    card(desk, new).wait_for()
    assert first.get_attribute("data-card") == new.pk.hex
    assert desk.page.locator("#queue-news-show").is_hidden()


def test_an_episode_that_goes_on_is_renewed_under_the_officers_eyes(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    going_on = card(desk, three[2])
    going_on.locator("a").focus()
    assert "Suspicious" in (going_on.text_content() or "")
    Episode.objects.filter(pk=three[2].pk).update(
        status=EpisodeStatus.CLEARED, ended_at=three[2].started_at + timedelta(seconds=33)
    )
    desk.page.evaluate(ASK_NOW)
    going_on.get_by_text("Cleared").wait_for()
    assert "33 s" in (going_on.text_content() or "")
    assert going_on.locator("a:focus").count() == 1, "the officer stays where they were"
    assert going_on.locator("input[name=keys]").count() == 1, "now it may be dismissed"


def test_a_server_that_does_not_answer_is_said(desk: Desk, three: list[Episode]) -> None:
    desk.open(LIST)
    desk.page.route("**/news/**", lambda route: route.abort())
    desk.page.evaluate(ASK_NOW)
    desk.page.get_by_text("The server does not answer").wait_for()
    desk.page.unroute("**/news/**")
    desk.page.evaluate(ASK_NOW)
    desk.page.locator("#queue-silent").wait_for(state="hidden")
    desk.script_errors.clear()  # the browser tells of the request that was cut


def test_the_sound_is_off_until_it_is_switched_on_and_stays_so(
    desk: Desk, three: list[Episode]
) -> None:
    desk.open(LIST)
    sound = desk.page.get_by_role("button", name="Sound when an episode appears")
    assert sound.get_attribute("aria-pressed") == "false"
    sound.click()
    desk.open(LIST)
    assert sound.get_attribute("aria-pressed") == "true"
