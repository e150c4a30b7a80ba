"""What relies on the database's own promises holds on PostgreSQL as it does on SQLite."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import postgres

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SUITES = (
    "test_claims.py",
    "test_holding.py",
    "test_episodes.py",
    "test_outbox.py",
    "test_outbox_migration.py",
    "test_outlets.py",
    "test_undigested.py",
    "test_logins.py",
    "test_audit.py",
    "test_reviews.py",
    "test_rule_settings.py",
    "test_setup_migration.py",
)


THE_QUEUE = ("test_queue.py", "test_episode_figures.py", "test_severity.py")
THE_WAY_TO_IT = ("test_desk_migrations.py",)


@pytest.mark.parametrize(
    "suites", [SUITES, THE_QUEUE, THE_WAY_TO_IT], ids=["promises", "queue", "way"]
)
def test_it_holds_on_postgres(suites: tuple[str, ...]) -> None:
    with postgres() as url:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"),
                *(str(HERE / suite) for suite in suites),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "CRIMEOPS_TEST_DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=170,
            check=False,
        )
    assert run.returncode == 0, f"on PostgreSQL:\n{run.stdout}"
