"""Migrated once for all tests of a run: a migration costs each cluster as long as its workers."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import REPOSITORY

SECRET_KEY = "the-secret-key-of-this-test-the-secret-key-of-this-test"
CREDENTIALS_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="


def migrate(database_url: str) -> None:
    environment = {
        "CRIMEOPS_ENV_FILE": os.devnull,
        "SECRET_KEY": SECRET_KEY,
        "CREDENTIALS_KEY": CREDENTIALS_KEY,
        "DATABASE_URL": database_url,
        "PATH": os.environ.get("PATH", ""),
    }
    command = [sys.executable, str(REPOSITORY / "manage.py"), "migrate", "--verbosity=0"]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert result.returncode == 0, result.stderr


@cache
def migrated_sqlite() -> bytes:
    """What a file holds that was migrated."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "migrated.sqlite3"
        migrate(f"sqlite:///{path}")
        with closing(sqlite3.connect(path)) as base:
            return base.serialize()
