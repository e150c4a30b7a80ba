"""Locks out who guesses passwords: by user name, and by the network the guesses come from.

An attempt is written before its password is looked at and forgotten when it was right, so that a
thousand guesses at once are counted like a thousand in a row, by all processes together.
"""

from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from crimeops.clients import network_of
from detection.models import AuditAction, AuditRecord, LoginAttempt

# From where a user has logged in lately, others' guesses at the name do not keep the user out.
KNOWN_PLACE = timedelta(days=30)
# How many users may mistype behind one address (an office has one) for each that one user may.
USERS_BEHIND_ONE_ADDRESS = 5


class LockedOut(Exception):
    """Too many attempts failed; the message says for how long."""

    def __init__(self, until: datetime) -> None:
        minutes = max(1, ceil((until - timezone.now()).total_seconds() / 60))
        text = ngettext(
            "Too many failed logins. Try again in %(minutes)d minute, "
            "or ask a supervisor to unlock you.",
            "Too many failed logins. Try again in %(minutes)d minutes, "
            "or ask a supervisor to unlock you.",
            minutes,
        )
        super().__init__(text % {"minutes": minutes})


def begin_attempt(*, username: str, address: str) -> LoginAttempt:
    """Count one attempt before its password is checked.

    Raises:
        LockedOut: the password is not to be looked at.
    """
    now, name, network = timezone.now(), _stored_name(username), network_of(address)
    attempt = LoginAttempt.objects.create(at=now, username=name, network=network)
    recent = LoginAttempt.objects.filter(at__gt=now - _window())
    on_user = recent.filter(username=name)
    if _is_known(username, address):
        on_user = on_user.filter(network=network)
    most = settings.ENVIRONMENT.login_failures
    limits = [(on_user, most)]
    if network:  # of an unknown place nobody can be locked out: it may be everybody's
        limits.append((recent.filter(network=network), most * USERS_BEHIND_ONE_ADDRESS))
    for attempts, limit in limits:
        if attempts.count() > limit:
            # Whoever keeps knocking at a closed door is not counted: the lock must end one day.
            attempt.delete()
            newest = attempts.order_by("-at").values_list("at", flat=True)
            raise LockedOut((newest[limit - 1 : limit].first() or now) + _window())
    return attempt


def succeed(attempt: LoginAttempt) -> None:
    """The password was right: this user's failures from this network count no more."""
    LoginAttempt.objects.filter(username=attempt.username, network=attempt.network).delete()


def unlock(*, username: str = "", address: str = "") -> int:
    """Forget the failures of a user, of an address, or, where neither is given, all of them."""
    attempts = LoginAttempt.objects.all()
    if username:
        attempts = attempts.filter(username=_stored_name(username))
    if address:
        attempts = attempts.filter(network=network_of(address))
    return attempts.delete()[0]


def prune_attempts(*, at: datetime) -> int:
    """Forget attempts that no lock counts any more."""
    return LoginAttempt.objects.filter(at__lt=at - _window()).delete()[0]


def is_user(username: str) -> bool:
    """Whether there is such a user; anything else typed there may be a password."""
    users = get_user_model()
    return users._default_manager.filter(**{f"{users.USERNAME_FIELD}__iexact": username}).exists()


def _stored_name(username: str) -> str:
    name = username.casefold()[:150]
    return name if is_user(username) else f"#{salted_hmac('login attempt', name).hexdigest()[:16]}"


def _is_known(username: str, address: str) -> bool:
    logins = AuditRecord.objects.filter(
        username__iexact=username,
        action=AuditAction.LOGIN,
        address=address,
        at__gt=timezone.now() - KNOWN_PLACE,
    )
    return bool(address) and logins.exists()


def _window() -> timedelta:
    return timedelta(minutes=settings.ENVIRONMENT.login_lock_minutes)
