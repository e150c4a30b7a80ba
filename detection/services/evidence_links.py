"""Signed links: one file of evidence for somebody without an account, for a while.

The address holds a signed number and nothing else. A link is worth what its maker may see: it ends
with its time, with the file, with the maker's account or rights, and when somebody takes it back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AbstractUser, User
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner, b62_encode
from django.utils import timezone

from detection.models import EvidenceFile, EvidenceLink, seen_by

SALT = "detection.evidence_links"
HOURS = (1, 24, 72, 168)
DEFAULT_HOURS = 24
MAY_LINK = "detection.add_evidencelink"
MAY_SEE = "detection.view_episode"


class Forged(Exception):
    """The token was not made here."""


def make_link(
    *, file: EvidenceFile, maker: AbstractUser, hours: int, purpose: str = "", at: datetime
) -> EvidenceLink:
    """A link to a file that is kept. Raises ValueError for a time that is not offered."""
    if hours not in HOURS:
        raise ValueError(f"a link lasts {', '.join(map(str, HOURS))} hours")
    if file.removed_at is not None:
        raise ValueError("the file is no longer kept")
    return EvidenceLink.objects.create(
        file=file,
        made_by_id=maker.pk,
        made_at=at,
        expires_at=at + timedelta(hours=hours),
        purpose=purpose[:200],
    )


class _Signer(TimestampSigner):
    """Signs with the moment the link was made, so that a link has one address."""

    def __init__(self, made_at: datetime | None = None) -> None:
        super().__init__(salt=SALT)
        self._made_at = made_at

    def timestamp(self) -> str:
        assert self._made_at is not None
        return b62_encode(int(self._made_at.timestamp()))


def token_of(link: EvidenceLink) -> str:
    """What stands in its address: a number of no meaning, the moment, and the signature."""
    return _Signer(link.made_at).sign(link.pk.hex)


def find_link(token: str, *, at: datetime) -> EvidenceLink | None:
    """The link that a token stands for; None where it is over.

    Raises:
        Forged: the token was not made here.
    """
    try:
        key = UUID(_Signer().unsign(token, max_age=timedelta(hours=max(HOURS))))
    except SignatureExpired:
        return None
    except (BadSignature, ValueError):
        raise Forged from None
    links = EvidenceLink.objects.select_related("file__episode__camera", "made_by")
    link = links.filter(pk=key).first()
    return link if link is not None and is_valid(link, at=at) else None


def is_valid(link: EvidenceLink, *, at: datetime) -> bool:
    """It is not over, and its maker may still see the file and hand it on."""
    if link.revoked_at is not None or at >= link.expires_at or link.file.removed_at is not None:
        return False
    maker = User.objects.filter(pk=link.made_by_id, is_active=True, is_staff=True).first()
    if maker is None or not maker.has_perms([MAY_LINK, MAY_SEE]):
        return False
    return seen_by(maker, EvidenceFile.objects.filter(pk=link.file_id)).exists()


def revoke_link(link: EvidenceLink) -> bool:
    """Take it back; False where somebody did."""
    open_ones = EvidenceLink.objects.filter(pk=link.pk, revoked_at=None)
    return open_ones.update(revoked_at=timezone.now()) == 1
