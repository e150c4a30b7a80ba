"""Nothing that is secret comes out of a log, in whatever way it got in."""

import hashlib
import io
import json
import logging
import traceback
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from crimeops import logging as crimeops_logging
from crimeops.logging import HIDDEN, RedactionFilter, redact, redact_json, remember_secret

SECRET = "Tr0ub4dor&3/x"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crimeops_logging, "_memory", crimeops_logging._Memory())


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    """A logger as `settings.LOGGING` builds it, and what it has written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(RedactionFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.Logger("under-test")
    logger.addHandler(handler)
    return logger, written


# --- addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://admin:hunter22@10.0.0.7:554/stream1", f"rtsp://{HIDDEN}@10.0.0.7:554/stream1"),
        ("RTSPS://admin:hunter22@cam/1", f"RTSPS://{HIDDEN}@cam/1"),
        ("http://admin:hunter22@cam/video.mjpg", f"http://{HIDDEN}@cam/video.mjpg"),
        ("postgres://crime:ops@db/crimeops", f"postgres://{HIDDEN}@db/crimeops"),
        ("redis://:hunter22@broker:6379/0", f"redis://{HIDDEN}@broker:6379/0"),
        ("rediss+cluster://u:hunter22@b/0", f"rediss+cluster://{HIDDEN}@b/0"),
        ("rtsp://admin:p%40ss%2Fw%3Ard@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pa@ss@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:@@@@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pa/ss@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pa#ss?x&y@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pa'ss\"@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pa:ss@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:pässwörd€@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:p[a]ss@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("rtsp://admin:hunter22@[fe80::1]:554/1", f"rtsp://{HIDDEN}@[fe80::1]:554/1"),
        ("rtsp://token@cam/1", f"rtsp://{HIDDEN}@cam/1"),
        ("http://cam/v?user=admin&pwd=hunter22", f"http://cam/v?user=admin&pwd={HIDDEN}"),
        ("http://cam/v?password=hunter22&ch=1", f"http://cam/v?password={HIDDEN}&ch=1"),
        ("http://cam/v?Api_Key=hunter22", f"http://cam/v?Api_Key={HIDDEN}"),
    ],
)
def test_passwords_in_addresses_are_hidden_and_the_rest_is_kept(text: str, expected: str) -> None:
    assert redact(f"cannot open {text} now") == f"cannot open {expected} now"


def test_each_of_several_addresses_is_redacted_for_itself() -> None:
    text = '["rtsp://u:one1@a/1","rtsp://u:two2@b/2"]'
    assert redact(text) == f'["rtsp://{HIDDEN}@a/1","rtsp://{HIDDEN}@b/2"]'
    assert redact("rtsp://u:one1@a/1 rtsp://b/2") == f"rtsp://{HIDDEN}@a/1 rtsp://b/2"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://10.0.0.7:554/stream1 opened",
        "http://localhost:8000/api/model/cameras answered 503",
        "write to duty@station.example",
        "camera 7 (front door): 3 failures @ noon",
        "ratio 3://4",
        "http://cam/v?channel=1&subtype=0",
        "",
    ],
)
def test_harmless_text_is_left_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_an_address_without_a_password_before_a_mail_address_is_kept() -> None:
    text = "rtsp://cam/1 is broken, tell duty@station.example"
    assert redact(text) == text


def test_a_long_line_without_an_address_is_searched_at_once() -> None:
    text = "x" * 200_000
    assert redact(text) == text


# --- secrets known by their letters ----------------------------------------------------------


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    remember_secret(SECRET)
    assert (
        redact(f"login with {SECRET}, again {SECRET}!") == f"login with {HIDDEN}, again {HIDDEN}!"
    )


@pytest.mark.parametrize("secret", [SECRET, "p@ss w0rd", "pä€ss", "quo\"te's", "back\\slash"])
def test_a_known_secret_is_hidden_in_every_form_it_may_take(secret: str) -> None:
    remember_secret(secret)
    forms = [secret, quote(secret, safe=""), repr({"p": secret}), json.dumps({"p": secret})]
    for form in forms:
        hidden = redact(f"said {form}.")
        assert secret not in hidden
        assert HIDDEN in hidden
        assert repr(secret)[1:-1] not in hidden
        assert json.dumps(secret)[1:-1] not in hidden


def test_what_no_database_holds_is_taken_out_and_hides_no_secret() -> None:
    remember_secret("hunter2-hunter2")
    said = redact("a\0b hunter2-\0hunter2 \ud83d \N{POLICE CAR}")
    assert said == f"ab {HIDDEN} \\ud83d \N{POLICE CAR}"
    assert redact_json({"na\0me": ["\0"]}) == {"name": [""]}
    remember_secret("half \ud83d character")
    assert redact("a half \ud83d character") == f"a {HIDDEN}"


def test_of_two_secrets_that_overlap_the_longer_is_hidden_whole() -> None:
    remember_secret("swordfish")
    remember_secret("swordfish-2026")
    assert redact("it is swordfish-2026") == f"it is {HIDDEN}"


def test_words_too_short_to_be_secrets_are_left_alone() -> None:
    remember_secret("")
    remember_secret("abc")
    assert redact("abc of the camera") == "abc of the camera"


def test_the_newest_secrets_are_kept_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crimeops_logging, "_MOST_SECRETS", 3)
    for number in range(9):
        remember_secret(f"secret{number}")
    assert redact("secret5 secret6 secret8") == f"secret5 {HIDDEN} {HIDDEN}"


def test_the_keys_of_the_settings_are_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crimeops_logging, "_MOST_SECRETS", 3)
    remember_secret("the-api-key", for_good=True)
    for number in range(9):
        remember_secret(f"secret{number}")
    assert redact("the-api-key secret1") == f"{HIDDEN} secret1"


def test_twenty_thousand_secrets_take_no_more_memory_than_two_thousand() -> None:
    for number in range(2_000):
        remember_secret(f"password-{number:06}")
    full = len(crimeops_logging._memory.forms())
    for number in range(2_000, 20_000):
        remember_secret(f"password-{number:06}")
    assert len(crimeops_logging._memory.forms()) == full


@pytest.mark.parametrize(
    "form",
    [
        b64encode(SECRET.encode()).decode(),
        hashlib.md5(SECRET.encode()).hexdigest().upper(),
        hashlib.sha256(SECRET.encode()).hexdigest().upper(),
        hashlib.sha256(SECRET.encode()).hexdigest(),
        quote_plus(SECRET),
        quote(SECRET),
        quote(SECRET, safe="").lower().replace("tr0ub4dor", "Tr0ub4dor"),
    ],
)
def test_the_forms_of_headers_addresses_and_cameras_logins_are_hidden_too(form: str) -> None:
    remember_secret(SECRET)
    assert redact(f"sent {form} to it") == f"sent {HIDDEN} to it"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic b3BlcmF0b3I6c2VjcmV0",
        "authorization: bearer abcdefgh.ijkl",
        'Digest username="operator", realm="x", nonce="n", response="0123456789abcdef"',
        'realm="x", response="0123456789abcdef"',
        "POST /stok=0123456789abcdef/ds",
    ],
)
def test_a_login_in_a_header_is_hidden_though_nobody_knew_it(text: str) -> None:
    hidden = redact(text)
    assert HIDDEN in hidden
    for part in ("b3BlcmF0b3I6c2VjcmV0", "abcdefgh", "0123456789abcdef"):
        assert part not in hidden


def test_json_is_redacted_throughout_and_keeps_its_shape() -> None:
    remember_secret(SECRET)
    value = {"a": [1, None, True, {"b": SECRET}], SECRET: "rtsp://u:pw@h/1"}
    assert redact_json(value) == {
        "a": [1, None, True, {"b": HIDDEN}],
        HIDDEN: f"rtsp://{HIDDEN}@h/1",
    }


# --- log records -----------------------------------------------------------------------------


def test_secrets_in_a_message_are_hidden(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    remember_secret(SECRET)
    logger.info(f"it is {SECRET}")
    assert written.getvalue() == f"INFO it is {HIDDEN}\n"


def test_secrets_in_arguments_are_hidden(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    remember_secret(SECRET)
    logger.info("%s and %r of %d", SECRET, {"password": SECRET, "url": "rtsp://u:pw@h/1"}, 7)
    assert SECRET not in written.getvalue()
    assert "u:pw" not in written.getvalue()
    assert written.getvalue().endswith("of 7\n")


def test_secrets_in_named_arguments_are_hidden(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    remember_secret(SECRET)
    logger.info("it is %(password)s", {"password": SECRET})
    assert written.getvalue() == f"INFO it is {HIDDEN}\n"


def test_a_secret_that_message_and_argument_make_together_is_hidden(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    remember_secret("left-right")
    logger.info("it is left-%s", "right")
    assert written.getvalue() == f"INFO it is {HIDDEN}\n"


def test_secrets_in_tracebacks_are_hidden(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    remember_secret(SECRET)
    try:
        try:
            raise ValueError(f"bad login {SECRET}")
        except ValueError as error:
            raise OSError("cannot open rtsp://admin:hunter22@cam/1") from error
    except OSError:
        logger.exception("it failed")
    text = written.getvalue()
    assert SECRET not in text
    assert "hunter22" not in text
    assert "OSError: cannot open" in text
    assert "Traceback" in text


def test_secrets_in_a_stack_are_hidden(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    remember_secret("stack_info=True")
    logger.info("where", stack_info=True)
    assert "stack_info=True" not in written.getvalue()
    assert HIDDEN in written.getvalue()


def test_a_percent_sign_in_a_redacted_message_is_not_formatted_again(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    second = logging.StreamHandler(written)
    second.addFilter(RedactionFilter())
    logger.addHandler(second)
    logger.info("confidence %d %%, %s", 85, "100%s")
    assert written.getvalue() == "INFO confidence 85 %, 100%s\nconfidence 85 %, 100%s\n"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError(f"cannot be printed, and holds {SECRET}")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("%d frames", ("many",)),
        ("%s and %s", ("one",)),
        ("nothing to fill", ("one",)),
        ("%(missing)s", ({"other": 1},)),
        ("100 %", (1,)),
        ("%s", (Unprintable(),)),
        (Unprintable(), ()),
    ],
)
def test_a_line_that_cannot_be_formatted_breaks_nothing_and_is_still_written(
    log: tuple[logging.Logger, io.StringIO],
    capfd: pytest.CaptureFixture[str],
    message: object,
    arguments: tuple[object, ...],
) -> None:
    logger, written = log
    remember_secret(SECRET)
    logger.warning(message, *arguments)
    assert written.getvalue().startswith("WARNING ")
    assert SECRET not in written.getvalue() + capfd.readouterr().err


def test_the_arguments_of_a_line_that_cannot_be_formatted_show_no_secret(
    log: tuple[logging.Logger, io.StringIO], capfd: pytest.CaptureFixture[str]
) -> None:
    logger, written = log
    remember_secret(SECRET)
    logger.warning("%d frames of %s", SECRET, "rtsp://admin:hunter22@cam/1")
    everything = written.getvalue() + capfd.readouterr().err
    assert SECRET not in everything
    assert "hunter22" not in everything


def test_a_traceback_that_was_formatted_before_is_redacted_too(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log
    remember_secret(SECRET)
    record = logger.makeRecord("x", logging.ERROR, "x.py", 1, "it failed", (), None)
    record.exc_text = "".join(traceback.format_exception_only(ValueError(SECRET)))
    logger.handle(record)
    assert SECRET not in written.getvalue()
