"""Keeps evidence in Django's default storage: local files, or whatever STORAGES names."""

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


class DjangoEvidenceStore:
    """See EvidenceStore."""

    def save(self, name: str, content: bytes) -> str:
        return default_storage.save(name, ContentFile(content))
