"""What is wrong with the site itself: named in the admin until it is over."""

import logging

from django.db import Error as DatabaseFault
from django.utils import timezone

from detection.models import Trouble

logger = logging.getLogger(__name__)


def name_trouble(*, subject: str, text: str) -> None:
    """Show a trouble, or that it is still there; whoever is in one must not get into another."""
    now = timezone.now()
    try:
        Trouble.objects.update_or_create(
            subject=subject,
            defaults={"text": text[:500], "last_at": now},
            create_defaults={"text": text[:500], "last_at": now, "since": now},
        )
    except DatabaseFault as error:
        logger.error("“%s” cannot be shown (%s): %s", subject, type(error).__name__, text)


def end_trouble(*, subject: str) -> None:
    """It is over; costs one query where there was none."""
    try:
        ended, _ = Trouble.objects.filter(subject=subject).delete()
    except DatabaseFault:
        return  # the next one to do well says so
    if ended:
        logger.warning("“%s” is well again", subject)
