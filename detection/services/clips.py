"""From an episode's spooled packets to the files that are kept of it: a clip and its preview."""

import logging
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseFault

from detection.evidence.clip import ClipError
from detection.evidence.making import MadeClip, make_clip
from detection.evidence.preview import make_preview
from detection.evidence.privacy import masks_of
from detection.evidence.spool_folder import ORDER, ClipOrder, polygons
from detection.evidence.storage import FOLDER, fingerprint
from detection.models import Episode, EvidenceKind
from detection.ports import EvidenceStore
from detection.services import setups
from detection.services.evidence import attach_file

logger = logging.getLogger(__name__)

ENDINGS = {EvidenceKind.CLIP: "mp4", EvidenceKind.PREVIEW: "webp"}
# For so long it is tried to keep a clip, and waited for an episode that a database was away for.
MOST_SECONDS = 2 * 86_400.0


def finish_clip(folder: Path, store: EvidenceStore) -> bool:
    """Make the clip of a spooled episode, keep it, and remove the folder; False: try again later.

    Raises:
        OSError: a disk or the storage takes nothing now.
        django.db.Error: the database is away.
    """
    is_old = time.time() - (folder / ORDER).stat().st_mtime > MOST_SECONDS
    try:
        order = ClipOrder.read(folder)
    except ValueError as error:
        _remove(folder, f"its order cannot be read: {error}")
        return True
    if not Episode.objects.filter(pk=order.episode_id).exists():
        if is_old:
            _remove(folder, "its episode was never written")
        return is_old
    try:
        _keep(folder, order, store)
    except ClipError as error:
        _remove(folder, str(error))
        return True
    except DatabaseFault:
        raise
    except Exception as error:
        if not is_old:
            raise
        _remove(folder, f"it could not be kept for days: {error!r}")
        return True
    shutil.rmtree(folder)
    return True


def _keep(folder: Path, order: ClipOrder, store: EvidenceStore) -> None:
    # A mask that was drawn since hides what it hides here as well.
    drawn = masks_of(setups.load_setup(order.camera_id).zones)
    ordered = polygons(order.masks)
    made = make_clip(folder, order, (*ordered, *(mask for mask in drawn if mask not in ordered)))
    facts = facts_of(made, order)
    _keep_file(order, EvidenceKind.CLIP, made.film, facts, store)
    preview = make_preview(made.film, order.peak_at - made.shape.began_at)
    _keep_file(order, EvidenceKind.PREVIEW, preview, {}, store)
    logger.info(
        "episode %s: a clip of %.1f s is kept, %.1f MB",
        order.episode_id,
        made.shape.seconds,
        made.film.stat().st_size / 1e6,
    )


def facts_of(made: MadeClip, order: ClipOrder) -> dict[str, Any]:
    """What a reader of the clip must know; `is_cut` where it does not hold all that it should."""
    return {
        "began_at": datetime.fromtimestamp(made.shape.began_at, UTC).isoformat(),
        "seconds": round(made.shape.seconds, 3),
        "width": made.shape.width,
        "height": made.shape.height,
        "codec": "h264",
        "is_cut": order.is_cut or not made.shape.is_whole,
        "re_encoded": made.is_re_encoded,
        "masked": made.is_masked,
    }


def _keep_file(
    order: ClipOrder,
    kind: EvidenceKind,
    content: bytes | Path,
    facts: dict[str, Any],
    store: EvidenceStore,
) -> None:
    size, sha256 = fingerprint(content)
    name = f"{FOLDER}/{order.episode_id}/{kind}-{sha256[:12]}.{ENDINGS[kind]}"
    attach_file(
        episode_id=UUID(order.episode_id),
        kind=kind,
        name=store.save(name, content),
        size=size,
        sha256=sha256,
        facts=facts,
    )


def _remove(folder: Path, why: str) -> None:
    logger.error("spool %s: no clip is made of it, %s", folder.name, why)
    shutil.rmtree(folder, ignore_errors=True)
