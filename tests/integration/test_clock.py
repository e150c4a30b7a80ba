"""A host whose clock is wrong is named, because rings and frames are judged by it."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from detection import tasks
from detection.models import Trouble
from detection.services import claims, clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _not_looked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_looked_at", float("-inf"))


def set_database(monkeypatch: pytest.MonkeyPatch, ahead: float, takes: float = 0.0) -> None:
    def now() -> Any:
        time.sleep(takes)
        return timezone.now() + timedelta(seconds=ahead)

    monkeypatch.setattr(claims, "database_now", now)


@pytest.mark.parametrize(
    ("ahead", "said"), [(0.7, "0.7 s behind the database"), (-90, "90.0 s ahead of the database")]
)
def test_a_clock_that_is_wrong_is_named_until_it_is_right(
    ahead: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_database(monkeypatch, ahead)
    clock.look()
    trouble = Trouble.objects.get()
    assert trouble.subject.startswith("Clock of ")
    assert said in trouble.text
    set_database(monkeypatch, 0.3)
    clock.look()
    assert not Trouble.objects.exists()


def test_a_database_that_answers_late_is_no_wrong_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    set_database(monkeypatch, 0.0, takes=1.2)
    clock.look()
    assert not Trouble.objects.exists()


def test_each_worker_looks_once_a_minute_as_its_canary_sings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_database(monkeypatch, 5.0)
    tasks.sing()
    assert Trouble.objects.count() == 1
    Trouble.objects.all().delete()
    tasks.sing()
    assert not Trouble.objects.exists(), "not each time"
    monkeypatch.setattr(clock, "_looked_at", time.monotonic() - 61)
    tasks.sing()
    assert Trouble.objects.count() == 1


def test_a_database_that_is_away_ends_no_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(claims, "database_now", away)
    tasks.sing()
