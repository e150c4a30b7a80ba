"""Results in files that are there whole, or as they were before."""

import json
import os
from pathlib import Path
from typing import Any


def write_json(path: Path, result: Any) -> None:
    """Raises OSError. What is no plain file, like /dev/stdout, is written to and not replaced."""
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_text(text, encoding="utf-8")
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
