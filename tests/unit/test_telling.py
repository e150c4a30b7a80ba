"""What workers write in English is said in Arabic to who reads Arabic."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

from detection.admin.telling import told
from detection.domain.view_health import SAID
from detection.sources import pyav

ROOT = Path(__file__).resolve().parents[2]
# Where sentences for people are made out of what was found; each must be known.
MADE_IN = (
    *(path for path in (ROOT / "detection/rules").glob("*.py") if path.stem != "zone_file"),
    ROOT / "detection/domain/geometry.py",
    ROOT / "detection/domain/schedules.py",
)
# Parts, of which the examples below show the whole, with 7 for what is filled in.
PARTS = {
    "a model of your own names “7” in 7, on average at 7",
    "a 7 for 7 s and is in it",
    "person 7 tarried at 7",
    "Zone “7” (7)",
    "7 is watched by no rule: none looks at zones of this kind.",
    "7 is never watched: 7.",
    "7 lies wholly under a mask.",
    "7 has settings of 7, which looks at no zone of this kind.",
    "7 has thresholds of 7, which no rule suspects by its name.",
    "blows at 7: 7 s of fast motion in 6 s",
    "person 7 has lingered in 7 for 7 s",
    "7 person 7, 7",
    "7 7",
    "7: 7",
    "7 7:7",
    "line7 7",
    "7: 7 is given twice",
}
WHOLE = (
    "a model of your own names “axe” in boxes, on average at 81%",
    "a model of your own names “axe” in frames, on average at 81%",
    "blows at “gate”: 2.1 s of fast motion in 6 s",
    "blows at car 3: 2.1 s of fast motion in 6 s",
    "person 7 has lingered in one place for 60 s",
    "person 7 has lingered in “yard” for 60 s",
    "backpack left with person 7, who did not bring it",
    "cell phone vanished beside person 7, nobody knows whose",
    "Zone “gate” (door) is watched by no rule: none looks at zones of this kind.",
    "Zone “gate” (entry line) lies wholly under a mask.",
    "Zone “gate” (door) has settings of loitering, which looks at no zone of this kind.",
    "Zone “gate” (door) has thresholds of theft, which no rule suspects by its name.",
    "line 2: mon 07:00 is given twice",
    "lines 2 and 3: mon 07:00 is given twice",
)


def in_arabic(text: str) -> str:
    with translation.override("ar"):
        return told(text)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("person 3 inside “yard” for 4.2 s", "الشخص 3 داخل «yard» منذ 4.2 ث"),
        (
            "person 3 tarried at a car for 9 s and is in it",
            "تريث الشخص 3 عند سيارة 9 ث وهو الآن فيها",
        ),
        (
            "persons 1, 2 and 4 seem to fight, with a probability of 0.91, watched for 2.0 s",
            "الأشخاص 1, 2 و4: يبدو أنه شجار، باحتمال 0.91، روقب 2.0 ث",
        ),
        ("person 1 is down; person 2 is down", "الشخص 1 ساقط؛ الشخص 2 ساقط"),
        ("timed_out: the camera does not answer", "الكاميرا لا تستجيب"),
        (
            "tapo: this firmware has no manual alarm; onvif: connection refused",
            "tapo: لا إنذار يدوي في هذا البرنامج الثابت؛ onvif: رُفض الاتصال",
        ),
        (
            "Zone “gate” (door) is never watched: break in is armed by night and closed only, "
            "and it is day by hand.",
            "المنطقة «gate» (باب) لا تُراقَب أبدًا: قاعدة (اقتحام) مفعّلة في الوضع (ليل ومغلق) "
            "فقط، والوضع (نهار) مضبوط يدويًا.",
        ),
    ],
)
def test_a_known_sentence_is_said_in_arabic(written: str, said: str) -> None:
    assert in_arabic(written) == said


def test_what_nobody_has_foreseen_stays_as_it_was_written() -> None:
    for text in ("", "422: no such camera", "a; b", "person in zone", "code: person in zone"):
        assert in_arabic(text) == text


def test_english_is_said_as_it_was_written() -> None:
    text = "timed_out: the camera does not answer; person 1 is down"
    assert told(text) == text


def test_every_sentence_of_a_rule_is_known() -> None:
    made = {text: path.name for path in MADE_IN for text in _made_in(path)}
    unknown = {text: where for text, where in made.items() if in_arabic(text) == text}
    assert unknown.keys() - PARTS == set(), "add it to detection/admin/sentences.py"
    assert [text for text in WHOLE if in_arabic(text) == text] == []


def test_every_sentence_about_a_camera_is_known() -> None:
    texts = {*SAID.values(), *(message for _, _, message in pyav._REASONS)}
    assert {text for text in texts if in_arabic(text) == text} == set()


def _made_in(path: Path) -> list[str]:
    """Each f-string with a blank between words, with 7 for what is filled in."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values
            )
            if " " in text.strip():
                found.append(text)
    return found
