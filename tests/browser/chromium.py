"""Finds the Chromium that looks at the pages, and fetches one where there is none.

`python -m tests.browser.chromium` is what `make browser` runs: Playwright's own download first,
then the system's package. Where neither can be had, the tests of the pages are skipped and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
FETCH_SECONDS = 240


def find_chromium() -> str | None:
    """The browser named by CRIMEOPS_CHROMIUM, the system's, or Playwright's; None without one."""
    given = os.environ.get("CRIMEOPS_CHROMIUM")
    for name in (given, *NAMES):
        if name and (found := shutil.which(name)):
            return found
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache/ms-playwright")
    pattern = "chromium*/chrome-*/*headless*shell*"
    return next(
        (str(path) for path in sorted(home.glob(pattern)) if os.access(path, os.X_OK)), None
    )


def main() -> None:
    """Fetch a browser, unless there is one; never fails, and says what it did."""
    if (found := find_chromium()) is not None:
        print(f"Chromium: {found}")
        return
    download = [sys.executable, "-m", "playwright", "install", "chromium", "--only-shell"]
    ways = [download]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        ways.append(["sh", "-c", "apt-get -qq update && apt-get -qq install -y chromium"])
    for way in ways:
        print(f"No Chromium here; trying: {' '.join(way)}", flush=True)
        try:
            subprocess.run(way, timeout=FETCH_SECONDS, capture_output=True)
        except subprocess.TimeoutExpired:
            continue
        if (found := find_chromium()) is not None:
            print(f"Chromium: {found}")
            return
    print("No Chromium could be had: the tests of the pages will be skipped and say so.")


if __name__ == "__main__":
    main()
