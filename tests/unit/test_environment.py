"""Settings are read once, and nonsense is refused with one line that names the variable."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from crimeops import envfile
from crimeops.environment import (
    Environment,
    EnvironmentFault,
    read_environment,
    read_environment_or_exit,
)
from tests.conftest import REPOSITORY

SECRET_KEY = "a-signing-key-of-these-tests-that-is-long-enough-now"
CREDENTIALS_KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set but what must be."""
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    monkeypatch.setitem(Environment.model_config, "env_file", None)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("CREDENTIALS_KEY", CREDENTIALS_KEY)


@pytest.fixture
def dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The `.env` that is read; empty at first."""
    path = tmp_path / ".env"
    path.touch()
    monkeypatch.setitem(Environment.model_config, "env_file", str(path))
    return path


def faults() -> list[str]:
    with pytest.raises(EnvironmentFault) as caught:
        read_environment()
    return str(caught.value).splitlines()


# --- values ----------------------------------------------------------------------------------


def test_without_any_setting_but_the_keys_the_defaults_hold() -> None:
    environment = read_environment()
    assert environment.alert_threshold == 50.0
    assert environment.crime_threshold == 80.0
    assert environment.max_cameras == 10
    assert environment.heartbeat_interval == 60.0
    assert environment.allowed_hosts == ["127.0.0.1", "localhost"]
    assert str(environment.backend_url) == "http://localhost:8000/"
    assert environment.debug is False


def test_values_are_read_and_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CAMERAS", "3")
    monkeypatch.setenv("DEBUG", "yes")
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example,")
    environment = read_environment()
    assert environment.max_cameras == 3
    assert environment.debug is True
    assert environment.allowed_hosts == ["a.example", "b.example"]


def test_classes_of_own_models_are_read_with_what_they_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CRIME_CLASSES", "gun=weapon, pocket knife = weapon,violence=fighting,")
    assert read_environment().crime_classes == {
        "gun": "weapon",
        "pocket knife": "weapon",
        "violence": "fighting",
    }


def test_an_empty_variable_leaves_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CAMERAS", "")
    assert read_environment().max_cameras == 10


def test_settings_cannot_be_changed_while_running() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_environment().max_cameras = 99  # type: ignore[misc] # that is the point


def test_the_environment_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, dotenv: Path
) -> None:
    dotenv.write_text("MAX_CAMERAS=3\nFRAME_SKIP=7\n")
    monkeypatch.setenv("MAX_CAMERAS", "4")
    environment = read_environment()
    assert (environment.max_cameras, environment.frame_skip) == (4, 7)


# --- nonsense --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("MAX_CAMERAS", "ten", "valid integer"),
        ("MAX_CAMERAS", "2.5", "valid integer"),
        ("MAX_CAMERAS", "0", "greater than or equal to 1"),
        ("FRAME_SKIP", "-1", "greater than or equal to 1"),
        ("BATCH_SIZE", "65", "less than or equal to 64"),
        ("HEARTBEAT_INTERVAL", "a minute", "valid number"),
        ("HEARTBEAT_INTERVAL", "0", "greater than 0"),
        ("HEARTBEAT_INTERVAL", "nan", "finite number"),
        ("HEARTBEAT_INTERVAL", "inf", "finite number"),
        ("ALERT_THRESHOLD", "101", "less than or equal to 100"),
        ("ALERT_THRESHOLD", "-1", "greater than or equal to 0"),
        ("DEBUG", "maybe", "valid boolean"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("RTSP_TRANSPORT", "pigeon", "'tcp' or 'udp'"),
        ("BACKEND_URL", "nowhere", "valid URL"),
        ("BACKEND_URL", "ftp://backend", "'http' or 'https'"),
        ("TAPO_CONTROL_PORT", "70000", "less than or equal to 65535"),
        ("SECRET_KEY", "short", "at least 50 characters"),
        ("CREDENTIALS_KEY", "short", "at least 44 characters"),
        ("CREDENTIALS_KEY", "x" * 44, "Fernet"),
        ("TIME_ZONE", "Mars/Phobos", "time zone"),
        ("REDIS_URL", "http://broker", "redis"),
        ("CRIME_CLASSES", "gun", "“gun” is no class=crime"),
        ("CRIME_CLASSES", "gun=weapon,=theft", "“=theft” is no class=crime"),
        ("CRIME_CLASSES", "gun=weapon,graffiti=art", "no crime “art”; there are theft, assault"),
        ("CRIME_CLASSES", "gun=", "no crime “”"),
        ("CRIME_CLASSES", "gun=weapon,Gun=robbery", "“Gun” is given twice"),
    ],
)
def test_nonsense_gets_one_line_that_names_the_variable_and_says_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    (line,) = faults()
    assert line.strip().startswith(f"{variable}: ")
    assert says in line


@pytest.mark.parametrize("variable", ["SECRET_KEY", "CREDENTIALS_KEY"])
def test_a_key_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv(variable)
    (line,) = faults()
    assert line.strip().startswith(f"{variable}: is required.")


def test_a_key_that_is_set_to_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "")
    (line,) = faults()
    assert "SECRET_KEY: is required." in line


def test_a_worker_is_not_deaf_between_two_canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_INTERVAL", "5")
    monkeypatch.setenv("DEAF_SECONDS", "14.9")
    (line,) = faults()
    assert line.strip().startswith("DEAF_SECONDS: ") and "CANARY_INTERVAL" in line


@pytest.mark.parametrize(
    ("alert", "crime"),
    [("80", "80"), ("90", "85"), ("85", "")],  # the default is 80
)
def test_the_crime_threshold_lies_above_the_alerts(
    monkeypatch: pytest.MonkeyPatch, alert: str, crime: str
) -> None:
    monkeypatch.setenv("ALERT_THRESHOLD", alert)
    monkeypatch.setenv("CRIME_THRESHOLD", crime)
    (line,) = faults()
    assert line.strip().startswith("CRIME_THRESHOLD: ")
    assert "above ALERT_THRESHOLD" in line


def test_every_fault_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_CAMERAS", "ten")
    monkeypatch.setenv("DEBUG", "maybe")
    monkeypatch.delenv("SECRET_KEY")
    named = [line.split(":")[0].strip() for line in faults()]
    assert named == ["SECRET_KEY", "DEBUG", "MAX_CAMERAS"]


@pytest.mark.parametrize("variable", ["SECRET_KEY", "CREDENTIALS_KEY"])
def test_the_value_of_a_secret_is_not_echoed(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "hunter22")
    assert "hunter22" not in "\n".join(faults())


def test_a_secret_in_a_faulty_address_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_URL", "ftp://admin:hunter22@backend")
    assert "hunter22" not in "\n".join(faults())


def test_the_fault_carries_no_error_that_holds_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter22")
    with pytest.raises(EnvironmentFault) as caught:
        read_environment()
    assert caught.value.__cause__ is None
    assert "hunter22" not in str(caught.value.__context__)


def test_at_start_up_faults_are_printed_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAX_CAMERAS", "ten")
    with pytest.raises(SystemExit) as caught:
        read_environment_or_exit()
    assert caught.value.code == 78
    printed = capsys.readouterr().err
    assert printed.startswith("CrimeOps cannot start; mend these settings:\n  MAX_CAMERAS: ")
    assert "Traceback" not in printed


# --- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [("MAX_CAMERA", "MAX_CAMERAS"), ("BACKEND_ULR", "BACKEND_URL"), ("alert_treshold", "")],
)
def test_an_unknown_name_in_the_file_suggests_the_near_one(
    dotenv: Path, misspelt: str, meant: str
) -> None:
    dotenv.write_text(f"{misspelt}=3\n")
    (line,) = faults()
    meant = meant or "ALERT_THRESHOLD"
    assert line.strip() == f"{misspelt.upper()}: no such setting; did you mean {meant}?"


def test_a_name_that_is_like_no_other_points_to_the_example(dotenv: Path) -> None:
    dotenv.write_text("XYZZY_QUUX=3\n")
    (line,) = faults()
    assert line.strip() == "XYZZY_QUUX: no such setting; see .env.example"


# --- values from files -----------------------------------------------------------------------


def test_a_value_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file\n")
    monkeypatch.setenv("MODEL_API_KEY_FILE", str(secret))
    assert read_environment().model_api_key == "from-a-file"


def test_a_required_key_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text("s" * 50)
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("SECRET_KEY_FILE", str(secret))
    assert read_environment().secret_key == "s" * 50


def test_the_variable_itself_goes_before_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file")
    monkeypatch.setenv("MODEL_API_KEY_FILE", str(secret))
    monkeypatch.setenv("MODEL_API_KEY", "from-the-variable")
    assert read_environment().model_api_key == "from-the-variable"


def test_a_file_goes_before_the_dotenv(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dotenv: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file")
    dotenv.write_text("MODEL_API_KEY=from-dotenv\n")
    monkeypatch.setenv("MODEL_API_KEY_FILE", str(secret))
    assert read_environment().model_api_key == "from-a-file"


def test_a_file_may_be_named_in_the_dotenv_too(tmp_path: Path, dotenv: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file")
    dotenv.write_text(f"MODEL_API_KEY_FILE={secret}\n")
    assert read_environment().model_api_key == "from-a-file"


def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODEL_API_KEY_FILE", str(tmp_path / "missing"))
    (line,) = faults()
    assert line.strip().startswith("MODEL_API_KEY_FILE points to ")
    assert "No such file" in line


def test_a_file_that_holds_no_text_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b"\xff\xfe\x00\x80")
    monkeypatch.setenv("MODEL_API_KEY_FILE", str(secret))
    (line,) = faults()
    assert line.strip().startswith("MODEL_API_KEY_FILE points to ")


# --- the files of settings -------------------------------------------------------------------


def test_the_example_is_what_the_settings_say() -> None:
    assert (REPOSITORY / ".env.example").read_text(encoding="utf-8") == envfile.example()


def test_every_setting_stands_in_the_example_with_its_meaning() -> None:
    named = re.findall(r"^# .+\n#?([A-Z_]+)=", envfile.example(), flags=re.MULTILINE)
    assert named == [name.upper() for name in Environment.model_fields]


def test_the_example_can_be_used_as_it_is_once_the_keys_are_filled_in(dotenv: Path) -> None:
    defaults = read_environment()
    dotenv.write_text(re.sub(r"^#([A-Z_]+=)", r"\1", envfile.example(), flags=re.MULTILINE))
    for name in Environment.model_fields:
        if name in {"database_url", "evidence_dir", "model_dir", "spool_dir"}:
            continue  # written relative to the repository
        assert getattr(read_environment(), name) == getattr(defaults, name), name


def test_a_new_file_holds_working_secrets(monkeypatch: pytest.MonkeyPatch, dotenv: Path) -> None:
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.delenv("CREDENTIALS_KEY")
    dotenv.unlink()
    assert envfile.write_new(dotenv, MAX_CAMERAS="4")
    environment = read_environment()
    assert environment.max_cameras == 4
    assert len(environment.secret_key) >= 50
    Fernet(environment.credentials_key)
    assert environment.flower_basic_auth.startswith("crimeops:")


def test_no_two_new_files_are_alike(tmp_path: Path) -> None:
    envfile.write_new(tmp_path / "a")
    envfile.write_new(tmp_path / "b")
    first, second = (tmp_path / "a").read_text(), (tmp_path / "b").read_text()
    assert not set(first.splitlines()[1:]) & set(second.splitlines()[1:])


def test_a_new_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        envfile.write_new(tmp_path / ".env")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("mine")
    assert not envfile.write_new(path)
    assert path.read_text() == "mine"


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / ".env", tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    assert not envfile.write_new(path)
    assert not elsewhere.exists()


# --- a bucket for evidence -----------------------------------------------------------------------


def a_bucket(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    given = {
        "EVIDENCE_BUCKET": "evidence",
        "EVIDENCE_BUCKET_SERVER": "https://minio.example:9000",
        "EVIDENCE_BUCKET_ACCESS_KEY": "the-access-key",
        "EVIDENCE_BUCKET_SECRET_KEY": "the-secret-key",
    }
    for name, value in (given | changes).items():
        monkeypatch.setenv(name, value)


def test_a_bucket_takes_its_secret_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_bucket(monkeypatch)
    monkeypatch.delenv("EVIDENCE_BUCKET_SECRET_KEY")
    (tmp_path / "key").write_text("from-a-file\n")
    monkeypatch.setenv("EVIDENCE_BUCKET_SECRET_KEY_FILE", str(tmp_path / "key"))
    environment = read_environment()
    assert environment.evidence_bucket_secret_key == "from-a-file"
    assert "from-a-file" not in repr(environment)
    assert "the-access-key" not in repr(environment)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EVIDENCE_BUCKET_SECRET_KEY", "", "EVIDENCE_BUCKET needs EVIDENCE_BUCKET_ACCESS_KEY"),
        ("EVIDENCE_BUCKET_SERVER", "minio.example", "is no server: begin with https://"),
        ("EVIDENCE_BUCKET_SERVER", "https://k:secret1@minio.example", "give the keys by"),
        ("EVIDENCE_BUCKET_TIMEOUT", "0", "EVIDENCE_BUCKET_TIMEOUT"),
    ],
)
def test_a_bucket_that_cannot_be_used_is_refused_at_the_start(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_bucket(monkeypatch, **{name: value})
    with pytest.raises(EnvironmentFault, match=said) as fault:
        read_environment()
    assert "secret" not in str(fault.value).replace("_SECRET_KEY", "").lower()


def test_the_keys_of_a_bucket_are_blanked_wherever_they_turn_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_bucket(monkeypatch)
    code = (
        "import django; django.setup(); from crimeops.logging import redact;"
        "from django.conf import settings; print(settings.STORAGES['default']['BACKEND']);"
        "print(redact('the-access-key and the-secret-key'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crimeops.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "detection.evidence.s3.BucketStorage\n••• and •••\n"
