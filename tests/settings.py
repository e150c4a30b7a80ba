"""Settings of the tests: the product's own, on an environment that no `.env` reaches."""

import os
from pathlib import Path

from crimeops.environment import Environment

REPOSITORY = Path(__file__).resolve().parent.parent
TEST_STATE = REPOSITORY / "var" / "test"
TEST_STATE.mkdir(parents=True, exist_ok=True)

_postgres_of_this_run = os.environ.get("CRIMEOPS_TEST_DATABASE_URL", "")
# A server of the user's, where the tests may make databases of their own.
os.environ.setdefault("CRIMEOPS_TEST_POSTGRES", os.environ.get("DATABASE_URL", ""))
for _name in Environment.model_fields:
    os.environ.pop(_name.upper(), None)
os.environ |= {
    "CRIMEOPS_ENV_FILE": os.devnull,
    "SECRET_KEY": "a-key-for-tests-only-a-key-for-tests-only-a-key-for-tests",
    "CREDENTIALS_KEY": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "MODEL_API_KEY": "api-key-for-tests",
    "DATABASE_URL": _postgres_of_this_run or f"sqlite:///{TEST_STATE / 'tests.sqlite3'}",
    "EVIDENCE_DIR": str(TEST_STATE / "evidence"),
    "SPOOL_DIR": str(TEST_STATE / "spool"),
    "LOG_LEVEL": "WARNING",
}
Environment.model_config["env_file"] = None

from crimeops.settings import *  # noqa: E402, F403 — after the environment is laid

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Threads of one test see each other's rows only in a file.
DATABASES["default"]["TEST"] = (  # noqa: F405
    {} if _postgres_of_this_run else {"NAME": str(TEST_STATE / f"tests-{os.getpid()}.sqlite3")}
)

STATIC_ROOT = TEST_STATE / "static"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise complains of a folder that is not there
