"""What is encrypted at rest, and what of it is hidden in a log."""

import pytest

from crimeops import logging as crimeops_logging
from crimeops.logging import HIDDEN, redact
from detection.fields import EncryptedNameField, EncryptedTextField
from detection.models import Camera

WORD = "wachmann-17"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crimeops_logging, "_memory", crimeops_logging._Memory())


@pytest.mark.parametrize(
    "field", [EncryptedTextField(), EncryptedNameField()], ids=["text", "name"]
)
def test_what_is_written_is_encrypted_and_read_back(field: EncryptedTextField) -> None:
    kept = field.get_prep_value(WORD)
    assert WORD not in kept
    assert field.from_db_value(kept) == WORD
    assert (field.get_prep_value(""), field.from_db_value(None)) == ("", "")


@pytest.mark.parametrize("way", ["written", "read"])
def test_a_password_is_hidden_in_every_log_and_a_user_name_is_a_plain_word(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field, said in ((EncryptedNameField(), WORD), (EncryptedTextField(), HIDDEN)):
        kept = field.get_prep_value(WORD)
        if way == "read":
            monkeypatch.setattr(crimeops_logging, "_memory", crimeops_logging._Memory())
            field.from_db_value(kept)
        assert redact(f"{WORD} is at the gate") == f"{said} is at the gate"


def test_of_a_cameras_credentials_only_the_user_name_may_be_read_in_a_log() -> None:
    secret = {f.name for f in Camera._meta.get_fields() if getattr(f, "is_secret", False)}
    named = {f.name for f in Camera._meta.get_fields() if isinstance(f, EncryptedNameField)}
    assert secret == {"stream_url", "password", "control_password"}
    assert named == {"username"}
