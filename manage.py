#!/usr/bin/env python
"""Django's command line for CrimeOps."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
    from django.core.management import execute_from_command_line

    from crimeops.logging import redact_uncaught

    redact_uncaught()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
