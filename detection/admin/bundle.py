"""The bundle of an episode's evidence: one zip, sent while it is made, that proves itself."""

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.utils import translation
from django.utils.timezone import get_default_timezone, localtime
from django.utils.translation import gettext as _

from crimeops.logging import redact_json
from detection.admin.bundle_facts import chain_facts, episode_facts, history_facts
from detection.admin.bundle_report import report_html
from detection.admin.episode_additions import ADDITIONS, Exported
from detection.evidence.storage import DjangoEvidenceStore
from detection.evidence.zipping import StreamedZip
from detection.models import Episode, EvidenceFile, EvidenceKind

logger = logging.getLogger(__name__)

NAMES = {
    EvidenceKind.CLIP: "clip.mp4",
    EvidenceKind.SNAPSHOT: "snapshot.jpg",
    EvidenceKind.CLEAN_SNAPSHOT: "clean-snapshot.jpg",
    EvidenceKind.PREVIEW: "preview.webp",
    EvidenceKind.RECORDING: "recording.json.gz",
}


@dataclass(slots=True)
class Bundle:
    """What goes into a bundle, and what must be said inside of it."""

    episode: Episode
    viewer: AbstractUser
    at: datetime
    language: str
    files: dict[str, EvidenceFile] = field(default_factory=dict)  # by name in the bundle
    notes: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)  # of each file that was sent

    @property
    def folder(self) -> str:
        began = localtime(self.episode.started_at, get_default_timezone())
        return f"episode-{began:%Y-%m-%d-%H%M%S}-{str(self.episode.pk)[:8]}"


def gather(episode: Episode, viewer: AbstractUser, at: datetime) -> Bundle:
    """Everything that is kept of the episode; what is missing is noted. Raises OSError where the
    storage is away."""
    bundle = Bundle(episode, viewer, at, translation.get_language() or "en")
    store = DjangoEvidenceStore()
    for file in EvidenceFile.objects.filter(episode=episode, removed_at=None).order_by("-sequence"):
        plain = NAMES[EvidenceKind(file.kind)]
        name = plain if plain not in bundle.files else f"{file.sequence:04d}-{plain}"
        try:
            store.size(file.name)
        except FileNotFoundError:
            if not store.is_there():
                raise
            bundle.notes.append(
                _("%(name)s is missing: it was kept, and is not there any more.") % {"name": name}
            )
        else:
            bundle.files[name] = file
    bundle.notes += _what_is_missing(episode, bundle)
    return bundle


def _what_is_missing(episode: Episode, bundle: Bundle) -> Iterator[str]:
    if episode.is_open:
        yield _("The episode was still open when this was taken: more may follow.")
    kinds = {file.kind for file in bundle.files.values()}
    if EvidenceKind.CLIP not in kinds:
        clips = EvidenceFile.objects.filter(episode=episode, kind=EvidenceKind.CLIP)
        removed = clips.exclude(removed_at=None).last()
        if removed is None:
            yield _("There is no video of this episode.")
        else:
            yield _("The video is no longer kept: %(why)s.") % {
                "why": removed.get_removed_why_display()
            }


def stream(bundle: Bundle) -> Iterator[bytes]:
    """The zip, piece by piece. The evidence comes first, so that what is said of it is known."""
    zipped = StreamedZip(bundle.folder, localtime(bundle.at, get_default_timezone()))
    for name, file in bundle.files.items():
        yield from zipped.add(name, _pieces(bundle, name, file), file.size)
        with translation.override(bundle.language):
            bundle.states.setdefault(name, _state(file, zipped.sums[name]))
    # By now the request's language may be another's: this runs while the answer is sent.
    with translation.override(bundle.language):
        texts = _texts(bundle)
    for name, text in texts.items():
        yield from zipped.add_text(name, text)
    yield from zipped.end()


def _texts(bundle: Bundle) -> dict[str, str]:
    exported = [addition.exported(bundle.episode) for addition in ADDITIONS]
    texts = {
        name: json.dumps(redact_json(said), indent=2, ensure_ascii=False) + "\n"
        for name, said in _documents(bundle, exported)
    }
    texts["report.html"] = report_html(
        bundle.episode,
        bundle.viewer,
        at=bundle.at,
        files={name: (file, bundle.states[name]) for name, file in bundle.files.items()},
        notes=bundle.notes,
        told=[line for one in exported for line in one.lines],
    )
    return texts


def _documents(bundle: Bundle, exported: Iterable[Exported]) -> Iterator[tuple[str, Any]]:
    episode = bundle.episode
    inside = {file.sequence: name for name, file in bundle.files.items()}
    yield "metadata.json", episode_facts(episode, bundle.viewer, bundle.at, bundle.notes)
    yield "history.json", history_facts(episode, bundle.viewer)
    for one in exported:
        yield from one.files.items()
    yield "chain.json", chain_facts(episode, inside)


def _pieces(bundle: Bundle, name: str, file: EvidenceFile) -> Iterator[bytes]:
    """What cannot be read to its end is sent as far as it goes, and said to be so."""
    try:
        with closing(DjangoEvidenceStore().stream(file.name)) as pieces:
            yield from pieces
    except OSError as error:
        logger.error("evidence %s cannot be read to its end: %s", file.name, error)
        with translation.override(bundle.language):
            bundle.states[name] = _("broken off")
            text = _("%(name)s could not be read to its end: take the bundle again.")
            bundle.notes.append(text % {"name": name})


def _state(file: EvidenceFile, sha256: str) -> str:
    if not file.sha256:
        return _("kept before there were hashes")
    return _("as it was kept") if sha256 == file.sha256 else _("CHANGED since it was kept")
