"""Model fields whose content is encrypted at rest."""

from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from crimeops.logging import remember_secret

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField  # cannot be subscripted at run time


class EncryptedTextField(_TextField):
    """Text that is a Fernet token in the database and plain text in Python.

    What is decrypted is remembered as a secret, so that it never appears in a log of this process.
    Raises ImproperlyConfigured where no key of CREDENTIALS_KEY opens it.
    """

    is_secret = True

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        if not value:
            return ""
        if self.is_secret:
            remember_secret(value)
        return _fernet(settings.ENVIRONMENT.credentials_key).encrypt(value.encode()).decode()

    def from_db_value(self, value: str | None, *_: object) -> str:
        if not value:
            return ""
        try:
            plain = _fernet(settings.ENVIRONMENT.credentials_key).decrypt(value.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                "a camera credential cannot be decrypted: put the key it was written with behind "
                "the new one in CREDENTIALS_KEY (comma-separated)"
            ) from None
        if self.is_secret:
            remember_secret(plain)
        return plain


class EncryptedNameField(EncryptedTextField):
    """A user name: kept from the database's readers, but a plain word like “camera” in a log."""

    is_secret = False


@cache
def _fernet(keys: str) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
