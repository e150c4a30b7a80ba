"""How long the pages of the review desk take when there are very many episodes.

    python -m benchmarks.review_desk --episodes 100000 --database sqlite|postgres

A fresh database is filled as the workers would fill it (120 cameras of 12 stations; events, files
and deliveries of each episode), all within the twelve weeks that the figures look at. Each page is
then fetched through all of Django, in this process, by a superuser and by an officer of one
station; `--explain` prints the plans of the queue's queries.
"""

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WARM_UP = 3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument(
        "--url", help="a database that is filled once and kept, instead of a new one"
    )
    parser.add_argument("--explain", action="store_true", help="print the plans of the queries")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    with _database(given.database, given.url) as url:
        _set_up_django(url)
        from benchmarks.many_episodes import fill

        began = time.monotonic()
        is_new = fill(given.episodes)
        filled = time.monotonic() - began
        if not given.json:
            print(
                f"{given.database}, {given.episodes} episodes, filled in {filled:.0f} s ({is_new=})"
            )
        figures = [measure(page, given.repeats) for page in pages()]
        _print(figures, as_json=given.json)
        if given.explain:
            _explain()
    return 0


@contextlib.contextmanager
def _database(kind: str, url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    if kind == "postgres":
        from tests.services import postgres

        with postgres() as url:
            yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'desk.sqlite3'}"


def _set_up_django(url: str) -> None:
    os.environ |= {
        "CRIMEOPS_ENV_FILE": os.devnull,
        "SECRET_KEY": "a-key-for-measuring-only-a-key-for-measuring-only-a-key",
        "CREDENTIALS_KEY": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
        "MODEL_API_KEY": "api-key-for-measuring",
        "DATABASE_URL": url,
        "DATABASE_TIMEOUT": "300",  # filling and VACUUM take longer than any page may
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "crimeops.settings",
    }
    import django
    from django.conf import settings

    django.setup()
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise complains of a folder that is not there
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@dataclass(frozen=True)
class Page:
    """What is asked, by whom."""

    name: str
    address: str
    client: Any


def pages() -> list[Page]:
    """The pages that are measured, as a superuser sees them and as an officer of one station."""
    from benchmarks.many_episodes import an_officer, an_open_card_page, keys_of_interest

    boss, local = an_officer("boss"), an_officer("local", stations=[3])
    key, camera = keys_of_interest()
    base = "/admin/detection/episode/"
    asked = {
        "queue": "",
        "queue, table": "?view=table",
        "to review": "?verdict=unreviewed",
        "open": "?course=open",
        "escalated": "?escalated=1",
        "type and verdict": "?crime_type=theft&verdict=dismissed",
        "camera": f"?camera={camera}",
        "station": "?station=7",
        "a week": "?since=2026-09-01&until=2026-09-07",
        "newest first": "?order=newest",
        "most certain first": "?order=surest",
        "search: camera": "?q=Camera+17",
        "search: reason, common": "?q=person",
        "search: reason, rare": "?q=ladder",
        "search: nothing found": "?q=zeppelin",
        "search: two words": "?q=gate+crowbar",
        "search: key": f"?q={str(key)[:13]}",
        "page 1000": "?p=1000",
        "page 2000": "?p=2000",
        "page 200 of a type": "?crime_type=theft&p=200",
    }
    found = []
    for name, query in asked.items():
        view = "" if "view=" in query else ("&" if query else "?") + "view=cards"
        found.append(Page(name, f"{base}{query}{view}", boss))
    found += [
        Page("queue, one station", base, local),
        Page("search, one station", f"{base}?q=ladder", local),
        Page("news", an_open_card_page(boss), boss),
        Page("figures", f"{base}figures/", boss),
        Page("figures of a type", f"{base}figures/?crime_type=theft", boss),
        Page("figures, one station", f"{base}figures/", local),
        Page("an episode", f"{base}{key}/change/", boss),
        Page("overview", "/admin/", boss),
    ]
    return found


def measure(page: Page, repeats: int) -> dict[str, Any]:
    """Milliseconds of some fetches after a few that warm up, queries, and bytes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    for _ in range(WARM_UP):
        answer = page.client.get(page.address)
    assert answer.status_code == 200, (page.name, answer.status_code)
    worked = _cpu_seconds()
    took = sorted(_timed(lambda: page.client.get(page.address)) for _ in range(repeats))
    worked = _cpu_seconds() - worked
    with CaptureQueriesContext(connection) as queries:
        page.client.get(page.address)
    return {
        "page": page.name,
        "cpu_ms": round(worked / repeats * 1000, 1),
        "fastest_ms": round(took[0], 1),
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[max(0, -(-len(took) * 95 // 100) - 1)], 1),
        "queries": len(queries),
        "slowest_query_ms": max(round(float(query["time"]) * 1000) for query in queries),
        "kib": round(len(answer.content) / 1024),
    }


def _cpu_seconds() -> float:
    """Of this process and of the database's process that serves it.

    What a page costs however busy the machine is; on an idle one, about the time that it takes.
    """
    from django.db import connection

    used = time.process_time()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (process,) = cursor.fetchone()
        with contextlib.suppress(OSError):  # a server on another host
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _print(figures: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures, indent=1))
        return
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    titles = ("cpu", "fastest", "median", "p95")
    print(f"{'page':26}", *(f"{title:>10}" for title in titles), "  queries   slowest      size")
    for row in figures:
        took = "".join(
            f"{row[key]:8.1f} ms" for key in ("cpu_ms", "fastest_ms", "median_ms", "p95_ms")
        )
        rest = f"{row['queries']:9}{row['slowest_query_ms']:7} ms{row['kib']:6} KiB"
        print(f"{row['page']:26}{took}{rest}")


def _explain() -> None:
    from benchmarks.many_episodes import queries_of_the_queue

    for name, rows in queries_of_the_queue():
        print(f"\n{name}\n{rows.explain()}")


if __name__ == "__main__":
    raise SystemExit(main())
