"""Lines and a bar: on a terminal both, each in its place; elsewhere lines alone."""

import re
import sys
from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from detection.management.screen import Screen

BAR = "\u2501"  # ━


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def spoken(monkeypatch: pytest.MonkeyPatch, out: StringIO, err: StringIO) -> str:
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    with Screen(OutputWrapper(out), total=10) as screen:
        for second in range(11):
            screen.reach(second)
            if second % 5 == 0:
                screen.say(f"line [{second}] {'x' * 120}", "bold red")
    screen.say("the end")
    return out.getvalue()


def test_into_a_file_or_pipe_only_lines_go(monkeypatch: pytest.MonkeyPatch) -> None:
    err = StringIO()
    lines = [f"line [{second}] {'x' * 120}" for second in (0, 5, 10)]
    assert spoken(monkeypatch, StringIO(), err).splitlines() == [*lines, "the end"]
    assert err.getvalue() == ""


def test_on_a_terminal_a_bar_stays_below_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = spoken(monkeypatch, Terminal(), Terminal())
    assert BAR in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    # What the terminal shows of a line is what was written after its last carriage return.
    visible = [line.rpartition("\r")[2] for line in plain.replace("\r\n", "\n").split("\n")]
    for second in (0, 5, 10):
        assert f"line [{second}] {'x' * 120}" in visible
    assert visible[-2] == "the end"


def test_where_errors_go_into_a_file_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = spoken(monkeypatch, Terminal(), StringIO())
    assert BAR not in shown
    assert "the end" in shown
