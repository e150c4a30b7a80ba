"""Documents that nobody checks are wrong within a month, so they are held to the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from crimeops import celery, envfile
from crimeops.environment import Environment
from detection.domain.view_health import SAID
from detection.rules.rule import RuleOptions

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "deploy").rglob("*.md"),
    ]
)
RUNBOOK = (REPOSITORY / "docs" / "operations.md").read_text()
RELIABILITY = (REPOSITORY / "docs" / "reliability.md").read_text()
BEHAVIOURS = (REPOSITORY / "docs" / "behaviours.md").read_text()
# Words in capitals with an underscore that are no settings of the environment.
OTHER_NAMES = {
    "CAMERA_REGISTRIES",
    "REPORTERS",
    "ALARMS",
    "DETECTION_RULES",
    "ZONE_KINDS",
    "DEMO_CAMERA_PASSWORD",
    "NAME_FILE",
    "NEEDS_PICTURES",
    "ZONE_CRIMES",
    "CRIMEOPS_ENV_FILE",
    "CRIMEOPS_CLIPS",
    "LC_MESSAGES",
    "CRIMEOPS_MODEL_DIR",
    "CRIMEOPS_TEST_DATABASE_URL",
}
SETTINGS = {name.upper() for name in Environment.model_fields}

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY))
)


# --- settings ----------------------------------------------------------------------------------


def test_the_example_is_what_the_settings_say() -> None:
    assert (REPOSITORY / ".env.example").read_text() == envfile.example()


def test_every_setting_is_in_the_example() -> None:
    example = (REPOSITORY / ".env.example").read_text()
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == SETTINGS


@each_document
def test_no_document_names_a_setting_that_is_none(document: Path) -> None:
    text = document.read_text()
    names = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", text))
    names |= set(re.findall(r"^(?:export )?([A-Z][A-Z0-9]+)=", text, re.MULTILINE))
    known = SETTINGS | OTHER_NAMES | {f"{name}_FILE" for name in SETTINGS}
    assert names <= known | _variables_of_make()


def _variables_of_make() -> set[str]:
    makefile = (REPOSITORY / "Makefile").read_text()
    return set(re.findall(r"^([A-Z]+) *[?:]?=", makefile, re.MULTILINE))


@pytest.mark.parametrize(
    ("document", "text"), [("operations", RUNBOOK), ("behaviours", BEHAVIOURS)]
)
def test_a_default_that_a_document_gives_is_the_default(document: str, text: str) -> None:
    given = re.findall(r"`([A-Z_]+)` \((\d+(?:\.\d+)?)(?=[);, ])", text)
    assert given
    for name, value in given:
        default = Environment.model_fields[name.lower()].default
        assert float(value) == default, f"{document}: {name} is {default}"


# --- rules and reasons -------------------------------------------------------------------------


def _part_of(rule: str) -> str:
    part = re.search(rf"^## {rule}$(.*?)(?=^## |\Z)", BEHAVIOURS, re.MULTILINE | re.DOTALL)
    assert part
    return part[1]


@pytest.mark.parametrize("rule", settings.DETECTION_RULES)
def test_each_rule_has_its_part_among_the_behaviours(rule: str) -> None:
    assert "What fools it" in _part_of(rule)
    # All of a rule's own settings are named with its name in front.
    own = {name for name in SETTINGS if name.startswith(rule.upper())}
    assert all(f"`{name}`" in _part_of(rule) for name in own)


@pytest.mark.parametrize(("rule", "path"), settings.DETECTION_RULES.items())
def test_each_option_of_a_rule_is_told_with_its_default(rule: str, path: str) -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", _part_of(rule), re.MULTILINE))
    options, common = import_string(path).Options.model_fields, RuleOptions.model_fields
    assert told.keys() == {
        name
        for name, field in options.items()
        if name not in common or field.default != common[name].default
    }
    for name, value in told.items():
        if isinstance(options[name].default, int | float):
            assert value == f"{options[name].default:g}", name


def test_no_behaviour_is_described_that_no_rule_looks_for() -> None:
    described = re.findall(r"^## (.*)$", BEHAVIOURS, re.MULTILINE)
    assert set(described) == settings.DETECTION_RULES.keys()


def _reasons() -> set[str]:
    """Every reason that the code can give: raised, noted, in the reader's table or published."""
    found: set[str] = {kind.value for kind in SAID}
    for module in (REPOSITORY / "detection").rglob("*.py"):
        if "admin" not in module.parts and "migrations" not in module.parts:
            found |= set(_reasons_in(ast.parse(module.read_text())))
    return found


def _reasons_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="SourceError") | ast.Attribute(attr="_note")):
                yield from _plain(node.args[0])
            case ast.Call(func=ast.Attribute(attr="_publish"), args=[_, reason]):
                yield from _before_the_colon(reason)
            case ast.Assign(targets=[ast.Name(id="reason")], value=reason):
                yield from _before_the_colon(reason)
            case ast.Call(func=ast.Name(id="_show_error"), args=[_, reason]):
                yield from _before_the_colon(reason)
            case ast.keyword(arg="reason", value=reason):
                yield from _before_the_colon(reason)
            case ast.AnnAssign(target=ast.Name(id="_REASONS"), value=ast.List(elts=rows)):
                for row in rows:
                    assert isinstance(row, ast.Tuple)
                    yield from _plain(row.elts[1])


def _plain(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _before_the_colon(node: ast.expr) -> Iterator[str]:
    first = node.values[0] if isinstance(node, ast.JoinedStr) else node
    for text in _plain(first):
        reason, colon, _ = text.partition(": ")
        if colon and reason:
            yield reason


def test_the_table_of_the_runbook_has_every_reason_of_a_camera_and_no_other() -> None:
    reasons = _reasons()
    assert {"auth_failed", "bad_address", "stalled", "not_claimed", "failed"} <= reasons
    assert set(re.findall(r"^\| `(\w+)` \|", RUNBOOK, re.MULTILINE)) == reasons


def test_the_runbook_knows_every_queue() -> None:
    table = RUNBOOK[: RUNBOOK.index("## Camera states")]
    named = {q for queues in re.findall(r"worker -Q ([\w,]+)", table) for q in queues.split(",")}
    assert named == set(celery.ROUTES.values())


# --- promises ----------------------------------------------------------------------------------


def _promises() -> list[list[str]]:
    """The rows of the table in `docs/reliability.md`: promise, test, figure."""
    rows = re.findall(r"^\| (?!promise)(.*) \|$", RELIABILITY, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def test_each_promise_names_a_test_or_says_that_there_is_none() -> None:
    promises = _promises()
    assert promises and all(len(row) == 3 for row in promises)
    for promise, tests, _ in promises:
        assert tests == "—" or re.fullmatch(r"`\w+\.py::\w+`(, `\w+\.py::\w+`)*", tests), promise


def test_each_test_that_a_promise_names_is_there() -> None:
    for _, tests, _ in _promises():
        for file, name in re.findall(r"`(\w+\.py)::(\w+)`", tests):
            found = list((REPOSITORY / "tests").rglob(file))
            assert any(f"def {name}(" in path.read_text() for path in found), f"{file}::{name}"


# --- links and commands --------------------------------------------------------------------------


@each_document
def test_relative_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        path, _, heading = target.partition("#")
        if "://" in path or target.startswith("mailto:"):
            continue
        file = document.parent / path if path else document
        assert file.exists(), target
        if heading:
            assert heading in _headings(file), target


def _headings(document: Path) -> set[str]:
    lines = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@each_document
def test_a_file_that_a_document_names_is_there(document: Path) -> None:
    roots = "crimeops|detection|integrations|simulators|tests|docs|deploy|requirements"
    for name in re.findall(rf"`((?:{roots})/[\w./*<>-]+)`", document.read_text()):
        pattern = re.sub(r"<\w+>", "*", name)
        assert any(REPOSITORY.glob(pattern.rstrip("/"))), name


@each_document
def test_make_has_the_targets_that_a_document_names(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", document.read_text())) <= targets


def test_a_checklist_has_five_lines_at_most() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    parts = re.split(r"^## Adding ", text, flags=re.MULTILINE)[1:]
    assert len(parts) == 3
    for part in parts:
        assert 1 < len(re.findall(r"^\d+\. ", part, re.MULTILINE)) <= 5


def test_each_decision_is_numbered_and_has_its_three_parts() -> None:
    decisions = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    for number, decision in enumerate(decisions, start=1):
        text = decision.read_text()
        assert decision.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))
