"""Checks a bundle of evidence with the standard library alone.

`python -m detection.evidence.bundle_check bundle.zip`, or `manage.py verify_evidence --bundle`.
"""

import hashlib
import json
import re
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detection.evidence.chain import faults_of

SUMS = "SHA256SUMS"
CHAIN = "chain.json"
UNCHANGED = "Nothing was changed."
PIECE = 256 * 1024
MOST_BYTES_OF_TEXT = 32 * 2**20  # a list that is larger is none of ours
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<name>[^\r\n]+)")


class BundleError(Exception):
    """It is no bundle of ours, or cannot be read."""


@dataclass(slots=True)
class BundleReport:
    """What was found: lines to show, and what is wrong."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def check_bundle(path: Path) -> BundleReport:
    """Compare every file with the list of hashes, and the chain with itself and with the files.

    Raises:
        BundleError: it is no bundle.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            return _check(bundle)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError) as error:
        raise BundleError(f"is no bundle that can be read: {error}") from error


def _check(bundle: zipfile.ZipFile) -> BundleReport:
    report = BundleReport()
    names = [entry.filename for entry in bundle.infolist() if not entry.is_dir()]
    folder = names[0].partition("/")[0] + "/" if names else ""
    for name in sorted({name for name in names if names.count(name) > 1}):
        report.faults.append(f"{name}: stands in it twice")
    expected = _sums(bundle, folder)
    for name in sorted(set(names) - {folder + name for name in expected} - {folder + SUMS}):
        report.faults.append(f"{name}: is not in the list of hashes")
    found: dict[str, str] = {}
    for name, sha256 in expected.items():
        if folder + name not in names:
            report.faults.append(f"{name}: is missing")
            continue
        found[name] = _sha256(bundle, folder + name)
        if found[name] != sha256:
            report.faults.append(f"{name}: was changed")
    chain = json.loads(_text(bundle, folder + CHAIN))
    _check_chain(chain, found, report)
    report.lines.append(f"Episode {chain['episode']}, chain of {chain['links']} links")
    report.lines.append(f"Head {chain['head'] or '–'}")
    report.lines.append(f"{len(found)} files compared with {SUMS}")
    return report


def _check_chain(chain: Mapping[str, Any], found: Mapping[str, str], report: BundleReport) -> None:
    for sequence, what in faults_of(chain["files"], links=chain["links"], head=chain["head"]):
        report.faults.append(f"{CHAIN}, link {sequence}: {what}")
    for file in chain["files"]:
        inside = file.get("in_bundle")
        if file["episode"] != chain["episode"]:
            report.faults.append(f"{CHAIN}, link {file['sequence']}: is of another episode")
        if inside and file["sha256"] and found.get(inside) != file["sha256"]:
            report.faults.append(f"{inside}: is not the file that the chain says was kept")


def _sums(bundle: zipfile.ZipFile, folder: str) -> dict[str, str]:
    lines = _text(bundle, folder + SUMS).splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    if None in matches:
        raise ValueError(f"{SUMS} is no list of hashes")
    return {match["name"]: match["sha256"] for match in matches if match}


def _text(bundle: zipfile.ZipFile, name: str) -> str:
    if bundle.getinfo(name).file_size > MOST_BYTES_OF_TEXT:
        raise ValueError(f"{name} is too large")
    return bundle.read(name).decode()


def _sha256(bundle: zipfile.ZipFile, name: str) -> str:
    """Empty where the zip itself knows that the file is damaged."""
    try:
        with bundle.open(name) as file:
            digest = hashlib.sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
            return digest.hexdigest()
    except zipfile.BadZipFile:
        return ""


if __name__ == "__main__":
    outcome = check_bundle(Path(sys.argv[1]))
    sys.stdout.write("\n".join([*outcome.lines, *(outcome.faults or [UNCHANGED]), ""]))
    sys.exit(bool(outcome.faults))
