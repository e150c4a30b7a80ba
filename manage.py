#!/usr/bin/env python
"""Django's command line for CrimeOps."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
    try:
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"{error}: run `make setup` once, and `. .venv/bin/activate` in each shell."
        ) from None

    from crimeops.logging import redact_uncaught

    redact_uncaught()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
