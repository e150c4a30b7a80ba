"""The setup that an operator tries: a camera's or the site's, and what is to be changed in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from django.core.management.base import CommandError

from detection.domain.schedules import Profile
from detection.rules.contradictions import contradictions
from detection.rules.settings import SettingsError
from detection.rules.setup import CameraSetup
from detection.rules.zone_file import ZoneFileError, read_layer, read_zones
from detection.services import setups
from detection.services.setups import SetupDraft

T = TypeVar("T")


def trial_setup(
    *, camera_id: int | None, zones: Path | None, settings: Path | None, profile: str | None
) -> tuple[CameraSetup, tuple[str, ...]]:
    """The setup, and what in it is broken or watches nothing. Raises CommandError."""
    draft = SetupDraft(setups.site_setup()) if camera_id is None else setups.examine(camera_id)
    setup = draft.setup
    if settings is not None:
        below = setup.settings
        layer = _read(settings, lambda text: read_layer(text, setups.sections(), below))
        setup = replace(setup, settings=below.above(layer))
    if zones is not None:
        below = setup.settings
        setup = replace(
            setup, zones=_read(zones, lambda text: read_zones(text, setups.sections(), below))
        )
    if profile is not None:
        setup = replace(setup, profile=Profile(profile))
    return setup, (*draft.faults, *contradictions(setup, setups.rule_types()))


def _read(path: Path, parse: Callable[[str], T]) -> T:
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except (ZoneFileError, SettingsError) as error:
        raise CommandError(f"{path}: {error}", returncode=2) from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} holds no UTF-8 text", returncode=2) from None
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", returncode=2) from None
