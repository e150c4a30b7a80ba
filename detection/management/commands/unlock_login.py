"""Opens the lock that failed logins have closed: for a user, an address, or everybody."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from detection.models import AuditAction
from detection.services import audit, logins


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default="", help="nobody: every user")
        parser.add_argument("--address", default="", help="only failures from this address")

    @transaction.atomic
    def handle(self, *, username: str, address: str, **_: Any) -> None:
        count = logins.unlock(username=username, address=address)
        audit.record(
            AuditAction.UNLOCKED,
            details={"by": "command line", "user": username or "all", "address": address or "all"},
        )
        self.stdout.write(f"{count} failed logins no longer count.")
