"""Proves that evidence is as it was kept: the chains, their files, and files that no row knows."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core.exceptions import SuspiciousOperation
from django.db.models import Q
from django.utils import timezone

from detection.evidence.chain import faults_of
from detection.evidence.storage import FOLDER, DjangoEvidenceStore, Kept, StoredFile
from detection.models import Episode, EvidenceFile
from detection.services.evidence import said_of

BATCH = 500
# A file is there a moment before its row, and a bucket takes its time.
BEING_KEPT = timedelta(minutes=2)
UNFINISHED = ".part"


class StorageAway(Exception):
    """The storage as a whole cannot be read: nothing can be said of any file."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was kept."""

    episode: str
    file: str  # its name, or the place in the chain
    what: str


@dataclass(slots=True)
class Proof:
    """What was looked at, what is wrong, and the digest over what was found."""

    until: datetime
    episodes: int = 0
    files: int = 0
    bytes: int = 0
    removed: int = 0  # explained by their rows
    without_hash: int = 0  # kept before there were hashes
    unfinished: int = 0  # remains of a writing that was broken off
    sealed: int = 0  # episodes in the digest
    faults: list[Fault] = field(default_factory=list)
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def seal(self, episode: Episode, files: Sequence[EvidenceFile]) -> None:
        """Take the head that the chain had at `until` into the digest."""
        kept = [file for file in files if file.kept_at <= self.until]
        if kept:
            self.sealed += 1
            self._digest.update(f"{episode.pk} {len(kept)} {kept[-1].link}\n".encode())

    @property
    def digest(self) -> str:
        """To be written down elsewhere: the moment, the number of episodes, the hash."""
        at = self.until.astimezone(UTC)
        return f"{at:%Y%m%dT%H%M%SZ}-{self.sealed}-{self._digest.hexdigest()}"


def prove(
    episodes: Q, *, until: datetime, is_all: bool, step: Callable[[int], None] = lambda _: None
) -> Proof:
    """Look at these episodes; at all of them, also at the files of none.

    Raises:
        StorageAway: it cannot be read.
    """
    proof = Proof(until)
    store = DjangoEvidenceStore()
    try:
        if not store.is_there() and EvidenceFile.objects.filter(removed_at=None).exists():
            raise StorageAway("there is no evidence at all where it is kept: is it mounted?")
        for batch in _batches(episodes):
            _prove_batch(store, batch, proof, step)
        if is_all:
            for folders in _folders(store):
                _find_unknown(store, folders, proof)
    except OSError as error:
        raise StorageAway(f"the evidence cannot be read: {error}") from error
    return proof


def _batches(which: Q) -> Iterator[list[Episode]]:
    rows = Episode.objects.filter(which).order_by("pk")
    rows = rows.only("pk", "evidence_links", "evidence_head", "ended_at")
    last: UUID | None = None
    while batch := list((rows if last is None else rows.filter(pk__gt=last))[:BATCH]):
        yield batch
        last = batch[-1].pk


def _prove_batch(
    store: DjangoEvidenceStore, batch: Sequence[Episode], proof: Proof, step: Callable[[int], None]
) -> None:
    chains: dict[UUID, list[EvidenceFile]] = {episode.pk: [] for episode in batch}
    for file in EvidenceFile.objects.filter(episode_id__in=chains).order_by("sequence"):
        chains[file.episode_id].append(file)
    for episode in batch:
        files = chains[episode.pk]
        _prove_chain(episode, files, proof)
        for file in files:
            proof.files += 1
            if (what := _wrong_with(store, file, proof)) is not None:
                proof.faults.append(Fault(str(episode.pk), file.name, what))
        proof.episodes += 1
        step(proof.episodes)


def _prove_chain(episode: Episode, files: Sequence[EvidenceFile], proof: Proof) -> None:
    links, head = episode.evidence_links, episode.evidence_head
    found = faults_of([said_of(file) for file in files], links=links, head=head)
    if found:  # a file may have been kept between the two questions
        episode.refresh_from_db(fields=["evidence_links", "evidence_head"])
        links, head = episode.evidence_links, episode.evidence_head
        files = list(episode.files.order_by("sequence"))
        found = faults_of([said_of(file) for file in files], links=links, head=head)
    names = {file.sequence: file.name for file in files}
    for sequence, what in found:
        where = names.get(sequence, f"link {sequence}")
        proof.faults.append(Fault(str(episode.pk), where, what))
    proof.seal(episode, files)


def _wrong_with(store: DjangoEvidenceStore, file: EvidenceFile, proof: Proof) -> str | None:
    """What is wrong with the file itself; None where it is as its row says."""
    if file.removed_at is not None:
        proof.removed += 1
        return _wrong_with_removed(store, file)
    digest, size = hashlib.sha256(), 0
    try:
        for piece in store.stream(file.name):
            digest.update(piece)
            size += len(piece)
    except (FileNotFoundError, SuspiciousOperation):
        return None if _was_removed_meanwhile(file) else "the file is missing"
    proof.bytes += size
    if not file.sha256:
        proof.without_hash += 1
        return None
    if size != file.size:
        return f"the file was changed: it has {size} bytes and not {file.size}"
    if digest.hexdigest() != file.sha256:
        return "the file was changed: its SHA-256 is another"
    return None


def _wrong_with_removed(store: DjangoEvidenceStore, file: EvidenceFile) -> str | None:
    """The rows are written first: what is about to be removed is no fault."""
    assert file.removed_at is not None
    try:
        store.size(file.name)
    except (FileNotFoundError, SuspiciousOperation):
        return None
    others = EvidenceFile.objects.filter(name=file.name, removed_at=None)
    if others.exists():
        return None
    return "the file is still there, though its row says that it was removed"


def _was_removed_meanwhile(file: EvidenceFile) -> bool:
    now = EvidenceFile.objects.filter(pk=file.pk).values_list("removed_at", flat=True).first()
    return now is not None


def _folders(store: DjangoEvidenceStore) -> Iterator[dict[str, Kept]]:
    folders: dict[str, Kept] = {}
    for kept in store.kept():
        folders[kept.folder] = kept
        if len(folders) == BATCH:
            yield folders
            folders = {}
    if folders:
        yield folders


def _find_unknown(store: DjangoEvidenceStore, folders: dict[str, Kept], proof: Proof) -> None:
    keys = {folder: key for folder in folders if (key := _key_of(folder)) is not None}
    rows = EvidenceFile.objects.filter(episode_id__in=keys.values())
    named = set(rows.values_list("name", flat=True))
    ended = dict(Episode.objects.filter(pk__in=keys.values()).values_list("pk", "ended_at"))
    for folder, kept in folders.items():
        key = keys.get(folder)
        for file in kept.files:
            name = f"{FOLDER}/{folder}/{file.name}"
            if name in named or (key in ended and _is_being_kept(file, ended[key])):
                continue
            if file.name.endswith(UNFINISHED):
                proof.unfinished += 1
            else:
                owner = str(key or folder)
                what = "no row knows this file" if key in ended else "no episode knows this file"
                proof.faults.append(Fault(owner, name, what))


def _is_being_kept(file: StoredFile, ended_at: datetime | None) -> bool:
    young = timezone.now() - BEING_KEPT
    return file.modified > young and (ended_at is None or ended_at > young)


def _key_of(folder: str) -> UUID | None:
    try:
        key = UUID(folder)
    except ValueError:
        return None
    return key if str(key) == folder else None
