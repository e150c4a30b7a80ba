"""The card as tables, for a terminal or for a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table as RichTable

from detection.evaluation.card import ABOUT, Card

NOTHING: Final = "–"
RATES: Final = ("auc", "accuracy", "precision", "recall")
NAMES: Final = {"auc": "AUC"}


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of as many cells."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)

    def show(self, console: Console) -> None:
        table = RichTable(title=self.title, title_justify="left", title_style="bold")
        for number, name in enumerate(self.header):
            table.add_column(name, justify="left" if number == 0 else "right")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def overview(card: Card) -> Table:
    """A row for each figure, a column for each type of crime."""
    types = [name for name in card if name != ABOUT]
    columns = [_column(card[name]) for name in types]
    rows = [[name, *(column[name] for column in columns)] for name in columns[0]] if columns else []
    return Table("How often it is right", ["", *types], rows)


def split(card: Card, crime: str, by: str) -> Table:
    """A row for each part of the clips."""
    rows = [
        [part, f"{found['showing it']} of {found['clips']}", *(_number(found[n]) for n in RATES)]
        for part, found in card[crime]["by"][by].items()
    ]
    header = [by, "clips showing it", *(NAMES.get(name, name) for name in RATES)]
    return Table(f"{crime} by {by}", header, rows)


def _column(found: Card) -> dict[str, str]:
    column = {"clips showing it": f"{found['showing it']} of {found['clips']}"}
    for name in RATES:
        shown = _number(found[name])
        if ends := found["95 %"][name]:
            shown += f" ({_number(ends[0])} to {_number(ends[1])})"
        column[NAMES.get(name, name)] = shown
    for name in ("alert", "crime"):
        told = found["episodes"][name]
        column[f"{name}s: recall"] = _number(told["recall"])
        column[f"{name}s: precision"] = _number(told["precision"])
        column[f"seconds to the {name}, median"] = _number(told["seconds"]["median"], 1)
    column["false episodes per camera-hour"] = _per_hour(found["false episodes"])
    column["recall at one false alarm per camera-hour"] = _number(
        found["at one false alarm per camera-hour"]["recall"]
    )
    return column


def notes(card: Card) -> list[str]:
    """What must be known to read the figures."""
    about = card[ABOUT]
    by_type = ", ".join(f"{n} {crime}" for crime, n in about["false episodes by type"].items())
    told = [
        f"{about['clips']} clips of {about['sources']} sources, {about['hours']:.2f} hours. "
        f"False episodes of any type per camera-hour: {_per_hour(about['false episodes'])}"
        + (f" ({by_type})." if by_type else "."),
        *(_what_is_scored(crime, found) for crime, found in card.items() if crime != ABOUT),
    ]
    if about["false episodes"]["quiet hours"] < 1:
        told.append(
            "There is less than an hour of footage without crime, so that one false alarm per "
            "camera-hour means none in it, and the rate of false episodes is hardly known."
        )
    if about["cross-validated"]:
        told.append(
            "Each clip was judged by a fight model trained on other sources only; the shipped one "
            "is trained on all of them."
        )
    if about["clips trained on"]:
        told.append(
            f"{about['clips trained on']} of these clips are those that the shipped fight model "
            f"was trained on: the figures of fighting and assault say how well it remembers them, "
            f"not how well it sees. --cross-validated judges each by a model that never saw its "
            f"source."
        )
    return told


def _what_is_scored(crime: str, found: Card) -> str:
    seen_as = " or ".join(found["counts as seen"])
    return (
        f"{crime}: a clip counts as seen if the surest moment for {seen_as}, of the rules or of a "
        f"classifier they ask, reaches {found['threshold']:.0f}; AUC ranks clips by it. Alerts and "
        f"crimes are what episodes made of that, which takes seconds: short clips end before."
    )


def _per_hour(found: dict[str, Any]) -> str:
    if found["per camera-hour"] is None:
        return NOTHING
    low, high = found["per camera-hour 95 %"]
    hours = found["quiet hours"]
    return (
        f"{_number(found['per camera-hour'], 1)} ({_number(low, 1)} to {_number(high, 1)}), "
        f"{found['count']} in {_number(hours)} h"
    )


def _number(value: float | None, digits: int = 3) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
