"""Imports of libraries that would report home, tamed first.

Ultralytics reports its use, checks for updates and installs packages by itself; OpenVINO reports
when it is imported. On a machine that watches cameras none of that may happen.
"""

import os
import sys
from pathlib import Path
from typing import Any

from detection.ports import DetectorError


def import_ultralytics(folder: Path) -> Any:
    """Import Ultralytics without telemetry, update checks and self-installing.

    Its settings are kept under `folder` and not in the user's home. The variables are those that
    ultralytics/utils/__init__.py reads, and it does so while it is imported. Raises DetectorError.
    """
    os.environ["YOLO_OFFLINE"] = "true"  # neither usage events nor error reports nor update checks
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ.setdefault("YOLO_CONFIG_DIR", str(folder / "ultralytics"))
    os.environ.setdefault("YOLO_VERBOSE", "false")  # our own log says what matters
    # A checkpoint may name Ultralytics' and torch's own classes only. An operator whose trusted
    # weights need others sets this to false.
    os.environ.setdefault("ULTRALYTICS_SAFE_LOAD", "true")
    silence_telemetry()
    try:
        # Here, not above: seconds and hundreds of MB that only the processes with a model pay.
        import ultralytics
    except ImportError as error:
        raise DetectorError(
            f"Ultralytics cannot be imported ({error}): install requirements/base.txt, or give an "
            f"OpenVINO model with an end-to-end head, which needs no PyTorch"
        ) from error
    settings: Any = ultralytics.settings
    if settings["sync"]:
        settings.update(sync=False)
    return ultralytics


def silence_telemetry() -> None:
    """Keep OpenVINO, from now on in this process, from reporting its use to its maker.

    `import openvino` alone reports, and no setting short of a file in the user's home stops it; but
    it has a stub for where the reporting package is missing. None makes Python say that it is:
    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as documented
