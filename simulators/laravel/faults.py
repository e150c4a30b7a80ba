"""Ways for the back end to misbehave on demand: what the product must survive."""

import json
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from simulators.laravel.exchange import full_path

BARE_KINDS = frozenset({"hang", "reset", "not_json", "missing_field", "html", "echo", "redirect"})
WITH_ARGUMENT = frozenset({"hang", "missing_field", "echo", "redirect"})
# The real answer, spoilt on its way: the call has been processed.
SPOILING_KINDS = frozenset({"not_json", "missing_field"})


@dataclass(frozen=True)
class Fault:
    """`after`: the back end does its work first, so that only the answer is lost."""

    kind: str
    argument: str | None
    path: str | None
    exact: bool
    after: bool
    times: int | None
    camera_id: int | None = None

    @property
    def label(self) -> str:
        return self.kind if self.argument is None else f"{self.kind}:{self.argument}"

    @property
    def seconds(self) -> float | None:
        """How long to hang; None is until the simulator stops."""
        return None if self.argument is None else float(self.argument)

    def hits(self, path: str, body: Any) -> bool:
        about = body.get("camera_id") if isinstance(body, dict) else None
        if self.camera_id is not None and about != self.camera_id:
            return False
        if self.path is None or path == self.path:
            return True
        return not self.exact and path.startswith(self.path.rstrip("/") + "/")


def parse_fault(
    kind: str,
    path: str | None,
    times: int | None,
    *,
    after: bool,
    exact: bool,
    camera_id: int | None = None,
) -> Fault:
    """Raises ValueError for a kind, an argument or a count that means nothing."""
    name, _, argument = kind.partition(":")
    if name == "status":
        if not (argument.isascii() and argument.isdigit() and 300 <= int(argument) <= 599):
            raise ValueError(f"status needs a code from 300 to 599: {kind!r}")
    elif name not in BARE_KINDS or (":" in kind and name not in WITH_ARGUMENT):
        raise ValueError(f"unknown fault: {kind!r}")
    if name == "hang" and argument and not 0 < float(argument) < float("inf"):
        raise ValueError(f"hang needs a number of seconds: {kind!r}")
    if name == "echo" and argument and not (argument.isdigit() and 400 <= int(argument) <= 599):
        raise ValueError(f"echo needs a code from 400 to 599: {kind!r}")
    if name == "redirect" and not argument:
        raise ValueError("redirect needs an address")
    if times is not None and times < 1:
        raise ValueError("times must be 1 or more")
    return Fault(
        kind=name,
        argument=argument or None,
        path=None if path is None else full_path(path),
        exact=exact,
        after=after or name in SPOILING_KINDS,
        times=times,
        camera_id=camera_id,
    )


class FaultBook:
    """The faults in force; the oldest that fits a call is used, and used up."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, path: str, body: Any) -> Fault | None:
        with self._lock:
            for index, fault in enumerate(self._faults):
                if fault.hits(path, body):
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._faults[index]
        else:
            self._faults[index] = replace(fault, times=fault.times - 1)


def without_field(body: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Drop `name` wherever it stands; with no name, what the caller needs most."""
    dropped = name or ("data" if "data" in body else "status")
    return {key: _drop(item, dropped) for key, item in body.items() if key != dropped}


def _drop(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return {key: _drop(item, name) for key, item in value.items() if key != name}
    if isinstance(value, list):
        return [_drop(item, name) for item in value]
    return value


def cut_short(body: dict[str, Any]) -> str:
    """JSON that ends in the middle."""
    return json.dumps(body)[:-2]
