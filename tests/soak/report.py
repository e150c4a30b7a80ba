"""Says how a run went: a table and one line for people, JSON for what comes after."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.soak.conductor import Conductor
from tests.soak.verdict import Verdict, percentile


def print_report(console: Console, verdict: Verdict, run: Conductor, folder: Path) -> None:
    """The table, what broke a promise in words, and the line last."""
    console.print(_faults(run))
    console.print(_figures(verdict, run))
    for heading, findings in findings_of(verdict).items():
        for finding in findings:
            console.print(f"[red]{heading}[/]: {escape(finding)}", highlight=False)
    console.print(f"[dim]{folder}/report.json, logs beside it[/]", highlight=False)
    print(verdict.line)


def findings_of(verdict: Verdict) -> dict[str, list[str]]:
    """What was found wrong, by its kind; all but the last two fail the run."""
    return {
        **verdict.broken,
        "crime without a cause": verdict.stray,
        "locked out at the end": verdict.locked,
    }


def write_json(path: Path, verdict: Verdict, run: Conductor, options: dict[str, Any]) -> None:
    """Everything that was judged, and the schedule as it really was."""
    path.write_text(
        json.dumps(
            {
                **options,
                "line": verdict.line,
                "began_at": run.began_at,
                "calm_at": run.calm_at,
                "ended_at": run.ended_at,
                "settled": run.settled,
                "interrupted": run.interrupted,
                "findings": findings_of(verdict),
                "figures": figures(verdict, run),
                "uncovered_by_camera": verdict.uncovered.by_camera,
                "rss_growth": verdict.rss_growth,
                "restarts": verdict.restarts,
                "deaths": [asdict(death) for death in run.deaths],
                "faults": [
                    {
                        "fault": fault.fault.name,
                        "part": fault.part,
                        "begun_at": fault.begun_at,
                        "mended_at": fault.mended_at,
                        "recovered_at": fault.recovered_at,
                    }
                    for fault in run.inflicted
                ],
                "passages": [
                    {**asdict(fate.passage), "outcome": fate.outcome, "why": fate.why}
                    for fate in verdict.fates
                ],
                "sessions": [asdict(session) for session in run.site.sessions.all()],
            },
            indent=1,
        )
    )


def figures(verdict: Verdict, run: Conductor) -> dict[str, str]:
    """The figures of the table, ready to be read."""
    outcomes = Counter(fate.outcome for fate in verdict.fates)
    uncovered, share = verdict.uncovered, 0.0
    if uncovered.seconds:
        share = uncovered.by_cameras / uncovered.seconds
    told = ", ".join(f"{count} {kind}" for kind, count in verdict.told.items())
    passed = ", ".join(f"{outcomes[kind]} {kind}" for kind in ("told", "excused", "cut", "lost"))
    restarts = ", ".join(f"{name} {count}" for name, count in verdict.restarts.items() if count)
    return {
        "faults": str(len(run.inflicted)),
        "episodes": str(verdict.episodes),
        "told": told,
        "passages of the person": f"{len(verdict.fates)}: {passed}",
        "alert → siren": _spread(verdict.siren_latency),
        "confirming frame → crime delivered": _spread(verdict.crime_latency),
        "not watched": (
            f"{uncovered.seconds:.0f} of {verdict.watched_seconds:.0f} camera-seconds, "
            f"{share:.0%} of it by faults of the cameras themselves"
        ),
        "restarts": restarts or "none",
        "ended by themselves": ", ".join(f"{d.process} ({d.status})" for d in run.deaths) or "none",
        "all told in the end": "yes" if run.settled else "no",
    }


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    median, high = percentile(seconds, 0.5), percentile(seconds, 0.95)
    return f"p50 {median * 1000:.0f} ms, p95 {high * 1000:.0f} ms ({len(seconds)})"


def _figures(verdict: Verdict, run: Conductor) -> Table:
    table = Table(show_header=False)
    for name, value in figures(verdict, run).items():
        table.add_row(name, escape(value))
    return table


def _faults(run: Conductor) -> Table:
    table = Table("fault", "times", title="Faults inflicted")
    for name, count in sorted(Counter(i.fault.name for i in run.inflicted).items()):
        table.add_row(escape(name), str(count))
    return table
