"""Proves that the evidence is as it was kept, or names each change.

Ends with 1 where anything is wrong, with 2 where it cannot be looked at. The digest that it prints
stands for all chains up to now: write it down elsewhere, and give it back by --expect later.
"""

import json
import re
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from detection.evidence.bundle_check import BundleError, check_bundle
from detection.management.moments import moment_of
from detection.management.screen import Screen
from detection.models import Episode
from detection.services.proving import Proof, StorageAway, prove

BAD_INPUT = 2
DIGEST = re.compile(r"(?P<at>[0-9]{8}T[0-9]{6}Z)-(?P<episodes>[0-9]+)-[0-9a-f]{64}")
MOST_NAMED = 1000  # faults on the terminal; --json names them all


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--episode", default="", help="only this episode, by its id")
        parser.add_argument("--since", default="", help="only episodes that began since, ISO 8601")
        parser.add_argument("--expect", default="", help="a digest that was printed earlier")
        parser.add_argument("--bundle", type=Path, help="instead: a zip that was taken from here")
        parser.add_argument("--json", action="store_true", help="say it as JSON")

    def handle(
        self,
        *_: Any,
        episode: str,
        since: str,
        expect: str,
        bundle: Path | None,
        json: bool,
        **__: Any,
    ) -> None:
        if bundle is not None:
            self._check_bundle(bundle)
            return
        until = _moment_of_digest(expect)
        which, count = _chosen(episode, since)
        # A whole second that is over: what is kept from now on is not in the digest.
        until = until or timezone.now().replace(microsecond=0)
        is_all = not (episode or since)
        try:
            with Screen(self.stdout, total=0 if json else count) as screen:
                proof = prove(which, until=until, is_all=is_all, step=screen.reach)
        except StorageAway as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        told = _as_json(proof) if json else "\n".join(_lines(proof))
        self.stdout.write(told)
        if proof.faults:
            raise CommandError(f"THE EVIDENCE IS NOT AS IT WAS KEPT: {len(proof.faults)} faults")
        if expect and proof.digest != expect:
            raise CommandError(_unexpected(proof, expect))

    def _check_bundle(self, path: Path) -> None:
        try:
            report = check_bundle(path)
        except BundleError as error:
            raise CommandError(f"{path}: {error}", returncode=BAD_INPUT) from error
        for line in report.lines:
            self.stdout.write(line)
        if report.faults:
            raise CommandError(f"{path} IS NOT AS IT WAS TAKEN:\n" + "\n".join(report.faults))


def _chosen(episode: str, since: str) -> tuple[Q, int]:
    which = Q()
    if episode:
        which &= Q(pk=_key(episode))
    if since:
        which &= Q(started_at__gte=moment_of(since, "--since"))
    count = Episode.objects.filter(which).count()
    if episode and not count:
        raise CommandError(f"there is no episode {episode}", returncode=BAD_INPUT)
    return which, count


def _lines(proof: Proof) -> list[str]:
    found = [f"{fault.episode}  {fault.file}: {fault.what}" for fault in proof.faults]
    lines = found[:MOST_NAMED]
    if len(found) > MOST_NAMED:
        lines.append(f"… and {len(found) - MOST_NAMED} more; --json names them all")
    lines.append(
        f"{proof.episodes} episodes, {proof.files} links, {proof.bytes / 1e6:.1f} MB read; "
        f"{proof.removed} files are no longer kept, as their rows say"
    )
    if proof.without_hash:
        lines.append(f"{proof.without_hash} files were kept before there were hashes: unproven")
    if proof.unfinished:
        lines.append(f"{proof.unfinished} remains of a writing that was broken off")
    lines.append(f"digest {proof.digest}")
    return lines


def _as_json(proof: Proof) -> str:
    counted = ("episodes", "files", "bytes", "removed", "without_hash", "unfinished")
    said = {name: getattr(proof, name) for name in counted}
    faults = [asdict(fault) for fault in proof.faults]
    return json.dumps(said | {"digest": proof.digest, "faults": faults}, indent=2)


def _unexpected(proof: Proof, expected: str) -> str:
    then = int(expected.split("-")[1])
    text = f"THE DIGEST IS ANOTHER: {proof.digest} and not {expected}"
    if proof.sealed != then:
        text += (
            f". It stood for {then} episodes, of which {proof.sealed} are left. Episodes that are "
            "older than they are kept for are removed; compare younger ones by --since"
        )
    return text


def _moment_of_digest(text: str) -> datetime | None:
    if not text:
        return None
    found = DIGEST.fullmatch(text)
    if found is None:
        raise CommandError(f"--expect: “{text}” is no digest of ours", returncode=BAD_INPUT)
    at = datetime.strptime(found["at"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if at > timezone.now() + timedelta(minutes=5):
        raise CommandError("--expect: that digest is of the future", returncode=BAD_INPUT)
    return at


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"“{text}” is no id of an episode", returncode=BAD_INPUT) from None
