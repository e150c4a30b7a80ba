"""Whatever is changed of the evidence, in a row or in a file, is found and named."""

import json
import random
import shutil
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Episode, EvidenceFile, EvidenceKind
from detection.services import retention
from tests.integration.evidence_places import keep_in_folder
from tests.rows import a_camera, a_file, an_episode

pytestmark = pytest.mark.django_db

FACTS = {"began_at": "2026-02-27T14:28:00+00:00", "seconds": 24.96, "is_cut": False, "width": 1e16}


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_in_folder(settings, tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def kept(folder: Path) -> list[Episode]:
    """Three ended episodes with chains, and files that were superseded and removed."""
    camera = a_camera()
    ago = timezone.now() - timedelta(days=2)
    episodes = [an_episode(camera, started_at=ago + timedelta(hours=n)) for n in range(3)]
    for number, episode in enumerate(episodes):
        a_file(episode, content=b"first picture %d" % number, at=ago)
        a_file(episode, EvidenceKind.CLIP, b"video %d" % number * 100, facts=FACTS, at=ago)
        a_file(episode, EvidenceKind.RECORDING, b"recording %d" % number, at=ago)
        a_file(episode, content=b"second picture %d" % number, at=ago)
        remove_superseded(episode)
    return episodes


def remove_superseded(episode: Episode) -> None:
    """What is done after the commit, which a test's transaction never sees."""
    for file in episode.files.exclude(removed_at=None):
        DjangoEvidenceStore().delete(file.name)


def verify(**options: Any) -> dict[str, Any]:
    """What the command says as JSON, whether it likes the evidence or not."""
    out = StringIO()
    try:
        call_command("verify_evidence", json=True, stdout=out, **options)
    except CommandError as error:
        if error.returncode != 1:
            raise
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def faults(**options: Any) -> list[str]:
    return [f"{fault['file']}: {fault['what']}" for fault in verify(**options)["faults"]]


def test_untouched_evidence_is_proven_and_removed_files_are_explained(
    kept: list[Episode], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_evidence")
    told = capsys.readouterr().out
    assert "3 episodes, 12 links, 0.0 MB read; 3 files are no longer kept" in told
    assert "digest " in told


# --- each change by its name ---------------------------------------------------------------------


def row(episode: Episode, sequence: int) -> Any:
    return EvidenceFile.objects.filter(episode=episode, sequence=sequence)


def changed_byte(folder: Path, episode: Episode) -> None:
    path = folder / row(episode, 2).get().name
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)


CHANGES: dict[str, Callable[[Path, Episode], object]] = {
    "its SHA-256 is another": changed_byte,
    "it has 0 bytes and not 700": lambda f, e: (f / row(e, 2).get().name).write_bytes(b""),
    "the file is missing": lambda f, e: (f / row(e, 2).get().name).unlink(),
    "its row was changed": lambda f, e: row(e, 2).update(facts=FACTS | {"is_cut": True}),
    "row 2 was removed": lambda f, e: row(e, 2).delete(),
    "the chain is cut: its last links up to 4 are gone": lambda f, e: row(e, 4).delete(),
    "the chain does not end as its episode says": lambda f, e: Episode.objects.filter(
        pk=e.pk
    ).update(evidence_head="0" * 64),
    "no row knows this file": lambda f, e: (
        f / "episodes" / str(e.pk) / "0005-clip.mp4"
    ).write_bytes(b"x"),
    "no episode knows this file": lambda f, e: e.delete(),
    "when or why it was removed was changed": lambda f, e: row(e, 1).update(removed_why="age"),
    "still there, though its row says that it was removed": lambda f, e: (
        f / row(e, 1).get().name
    ).write_bytes(b"back"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_is_named(what: str, kept: list[Episode], folder: Path) -> None:
    CHANGES[what](folder, kept[1])
    found = faults()
    assert [fault for fault in found if what in fault], found


def test_a_chain_that_is_forged_as_a_whole_is_found_by_the_digest(
    kept: list[Episode], folder: Path
) -> None:
    """Who may write rows and files can make a new chain; not one whose digest is another's."""
    digest = verify()["digest"]
    shutil.rmtree(folder / "episodes" / str(kept[1].pk))
    kept[1].files.all().delete()
    Episode.objects.filter(pk=kept[1].pk).update(evidence_links=0, evidence_head="")
    a_file(kept[1], content=b"another picture", at=kept[1].ended_at)
    assert faults() == [], "the new chain is whole"
    with pytest.raises(CommandError, match="THE DIGEST IS ANOTHER"):
        call_command("verify_evidence", expect=digest, stdout=StringIO())


def test_an_episode_that_went_with_all_its_files_is_missed_by_the_digest(
    kept: list[Episode], folder: Path
) -> None:
    digest = verify()["digest"]
    shutil.rmtree(folder / "episodes" / str(kept[1].pk))
    kept[1].delete()
    assert faults() == []
    with pytest.raises(CommandError, match="stood for 3 episodes, of which 2 are left"):
        call_command("verify_evidence", expect=digest, stdout=StringIO())


def test_the_digest_of_then_stays_true_while_more_is_kept(kept: list[Episode]) -> None:
    digest = verify()["digest"]
    a_file(kept[0], EvidenceKind.PREVIEW, b"a later file", at=timezone.now() + timedelta(seconds=2))
    assert verify(expect=digest)["digest"] == digest
    call_command("verify_evidence", expect=digest, stdout=StringIO())


@pytest.mark.parametrize("text", ["yesterday", "20260101T000000Z-3-abc", "x" * 90])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is no digest") as refused:
        call_command("verify_evidence", expect=text)
    assert refused.value.returncode == 2


# --- any single change ---------------------------------------------------------------------------

FIELDS = [
    field.attname
    for field in EvidenceFile._meta.concrete_fields
    if field.attname != "id"  # which says nothing
]


def other_value(field: str, value: Any, draw: random.Random) -> Any:
    """Something else that the column takes."""
    match field:
        case "sequence":
            return value + draw.randint(4, 9)  # the others are taken
        case "size":
            return value + draw.choice([-1, 1])
        case "kept_at" | "removed_at":
            return (value or timezone.now()) + timedelta(microseconds=draw.randint(1, 10**9))
        case "facts":
            return {**value, "seconds": draw.random()}
        case "kind":
            return draw.choice([kind for kind in EvidenceKind.values if kind != value])
        case "episode_id":
            return draw.choice(list(Episode.objects.values_list("pk", flat=True)))
        case _:
            return f"{value[:-1]}{'0' if value[-1:] != '0' else '1'}"


def change_something(folder: Path, draw: random.Random) -> str:
    """One change of one row or one file; what it was, or nothing where it was none."""
    file = draw.choice(list(EvidenceFile.objects.order_by("pk")))
    path = folder / file.name
    act = draw.choice(["row", "row", "row", "delete row", "episode", "byte", "cut", "grow", "file"])
    if act == "row":
        field = draw.choice(FIELDS)
        value = other_value(field, getattr(file, field), draw)
        if field == "episode_id" and value == file.episode_id:
            return ""
        changes = {field: value}
        if field == "episode_id":  # its place there is taken
            changes["sequence"] = 40
        EvidenceFile.objects.filter(pk=file.pk).update(**changes)
        return f"{field} of {file.name}"
    if act == "delete row":
        EvidenceFile.objects.filter(pk=file.pk).delete()
    elif act == "episode":
        changes = {"evidence_links": draw.randint(5, 9)}
        if draw.random() < 0.5:
            changes = {"evidence_head": "f" * 64}
        Episode.objects.filter(pk=file.episode_id).update(**changes)
    elif act == "file":
        (path.parent / f"{uuid4().hex}.mp4").write_bytes(b"x")
    elif not path.exists():
        return ""
    elif act == "byte":
        content = bytearray(path.read_bytes())
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        path.write_bytes(content)
    elif act == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.write_bytes(path.read_bytes() + b"\0")
    return f"{act} of {file.name}"


@pytest.fixture
def untouched(kept: list[Episode], folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    assert faults() == []
    return tmp_path / "copy"


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_single_change_of_a_row_or_a_file_is_found(
    seed: int, untouched: Path, folder: Path
) -> None:
    shutil.rmtree(folder)
    shutil.copytree(untouched, folder)
    with transaction.atomic():
        what = change_something(folder, random.Random(seed))
        found = faults()
        transaction.set_rollback(True)
    assert not what or found, what


# --- what is no fault ----------------------------------------------------------------------------


def test_what_retention_removed_is_explained(kept: list[Episode], settings: Settings) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"evidence_max_gb": 1e-9})
    retention.prune(at=timezone.now())
    said = verify()
    assert (said["faults"], said["removed"]) == ([], 12)


def test_files_of_before_there_were_hashes_are_counted_and_not_blamed(
    kept: list[Episode],
) -> None:
    episode = an_episode(a_camera(2), started_at=timezone.now() - timedelta(days=9))
    a_file(episode, content=b"old", sha256="")
    said = verify()
    assert (said["faults"], said["without_hash"]) == ([], 1)


def test_a_file_that_is_just_being_kept_is_no_fault(folder: Path) -> None:
    episode = an_episode(a_camera(), status="suspicious", ended_at=None)
    DjangoEvidenceStore().save(f"episodes/{episode.pk}/0001-snapshot.jpg", b"its row comes soon")
    assert faults() == []


def test_evidence_that_is_away_is_not_called_changed(kept: list[Episode], folder: Path) -> None:
    (folder / "episodes").rename(folder / "not mounted")
    with pytest.raises(CommandError, match="is it mounted") as away:
        call_command("verify_evidence")
    assert away.value.returncode == 2


def test_one_episode_or_those_since_a_day_can_be_asked_for(kept: list[Episode]) -> None:
    changed_byte_of = kept[0]
    row(changed_byte_of, 2).update(size=1)
    assert faults(episode=str(kept[1].pk)) == []
    assert len(faults(episode=str(kept[0].pk))) == 2
    since = (kept[1].started_at).isoformat()
    assert (faults(since=since), verify(since=since)["episodes"]) == ([], 2)
    with pytest.raises(CommandError, match="there is no episode"):
        call_command("verify_evidence", episode=str(uuid4()))
