"""Moments as an operator types them."""

from datetime import date, datetime, time

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

BAD_INPUT = 2


def moment_of(text: str, option: str) -> datetime:
    """A date begins at midnight at the site; a time without a zone is the site's."""
    try:
        at = parse_datetime(text) or datetime.combine(date.fromisoformat(text), time.min)
    except ValueError:
        raise CommandError(
            f"{option}: “{text}” is no time; write 2026-03-01 or 2026-03-01T18:30",
            returncode=BAD_INPUT,
        ) from None
    return timezone.make_aware(at) if timezone.is_naive(at) else at
