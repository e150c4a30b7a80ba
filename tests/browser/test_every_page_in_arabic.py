"""In Arabic no page of the desk says an English sentence of ours."""

import re
from typing import Any

import pytest

from detection.models import UserPreferences
from tests.browser.desk import Desk
from tests.browser.test_every_page import FORMS, NO_PICTURE, PAGES, ROWS, log_in_anew, open_page
from tests.browser.test_every_page import site as site

EDITOR = "detection_camera_zones"
# What a reader meets: text, and what is said by attributes.
READ = """() => {
  const found = new Set();
  const skipped = "script, style, noscript, code, pre, textarea, .material-symbols-outlined";
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    if (around && !around.closest(skipped)) found.add(walker.currentNode.data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const one of document.querySelectorAll(`[${name}]`)) found.add(one.getAttribute(name));
  return [...found].map((text) => text.trim().replace(/\\s+/g, " ")).filter(Boolean);
}"""
WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
# Names, codes and units: of products and protocols, of settings, of what a site itself has named.
NAMES = re.compile(
    r"\w+://\S+|\b(?:"
    r"CrimeOps|Camera \d|Flower|Redis|Tapo|RTSP|H\.264|JSON|LDAP|UTC|English|Asia/Baghdad"
    r"|Ctrl|Shift|Enter|Escape|Delete|Tab|Control|Command|Space|esc"
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"  # settings
    r"|boss|laravel|local|node-1|streams@node-1|alarms|reports|yard|Office hours"
    r"|operator|supervisor|viewer|disk|person in zone|422: no such camera|full"
    r"|mon|tue|wed|thu|fri|sat|sun|day|night|closed"  # what the lines of a schedule are made of
    r"|md5|salt|hash"
    r")\b",
    re.IGNORECASE,
)
# Of the theme and of Django's own chooser (SelectFilter2.js), which are not ours to translate.
NOT_OURS = re.compile(
    r"^(?:scrollable content|Type into this box|Choose |Remove |\(click to clear\)|Available )"
)
# Names of time zones and of things to be stolen, as they are typed; drawings; hidden passwords.
CODES = re.compile(r"^(?:[A-Z]\w+/[\w/+ -]+|backpack, [a-z, ]+|<.*>|[\w.+-]+\*{3,}.*|: \w+\*+)$")


def english_in(texts: list[str]) -> list[str]:
    """Texts in which an English word is left when names are taken out."""
    left = [text for text in texts if not NOT_OURS.search(text) and not CODES.search(text)]
    return [text for text in left if WORD.search(NAMES.sub(" ", text))]


@pytest.mark.parametrize("name", [*PAGES, "detection_episode_figures", *FORMS, *ROWS, EDITOR])
def test_no_english_is_left(desk: Desk, site: dict[str, Any], name: str) -> None:
    UserPreferences.objects.create(user=desk.officer, language="ar", time_zone="Asia/Baghdad")
    log_in_anew(desk)
    if name == EDITOR:
        desk.open(name, site["detection_camera"].pk)
        desk.page.locator("#zone-list button").first.click()
    else:
        open_page(desk, site, name)
    assert desk.page.evaluate("document.documentElement.lang") == "ar"
    assert english_in(desk.page.evaluate(READ)) == []
    desk.script_errors[:] = [error for error in desk.script_errors if NO_PICTURE not in error]
