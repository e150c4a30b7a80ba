"""The search for errors that nobody reckoned with finds each, and leaves alone what is meant."""

import traceback

from tests.e2e.unforeseen import tracebacks


def written_by_a_failure() -> str:
    try:
        try:
            raise ValueError("the first")
        except ValueError as first:
            raise KeyError("the second") from first
    except KeyError:
        return traceback.format_exc()


def test_a_traceback_is_found_with_its_last_error_and_what_was_said_before() -> None:
    log = f"INFO  well\nERROR it failed\n{written_by_a_failure()}INFO  well again\n"
    ((error, story),) = tracebacks(log)
    assert error == "KeyError: 'the second'"
    assert "in written_by_a_failure" in story
    assert "well again" not in story


def test_each_of_two_is_found() -> None:
    log = f"ERROR one\n{written_by_a_failure()}ERROR two\n{written_by_a_failure()}"
    assert [error for error, _ in tracebacks(log)] == ["KeyError: 'the second'"] * 2


def test_a_line_that_only_speaks_of_an_error_is_none() -> None:
    assert list(tracebacks("ERROR camera 1: the database is away: locked\n")) == []


def test_a_traceback_that_is_cut_short_is_found() -> None:
    ((error, story),) = tracebacks('Traceback (most recent call last):\n  File "x", line 1')
    assert error == ""
    assert "line 1" in story
