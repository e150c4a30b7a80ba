"""A watcher that was paused proves its lease before it acts, and acts where nobody can judge."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries

from detection import signals
from detection.domain.crimes import CrimeType
from detection.domain.episodes import EpisodeOpened
from detection.evidence.storage import DjangoEvidenceStore
from detection.models import Camera, Claim, Episode
from detection.recording import EpisodeRecorder
from detection.services import claims
from detection.services.claims import Lease, Overtaken
from detection.services.holding import Holding, Mark

pytestmark = pytest.mark.django_db

BEGAN = datetime(2026, 2, 27, 14, 28, 0, tzinfo=UTC)
OPENED = EpisodeOpened(BEGAN, CrimeType.TRESPASSING, 55.0, BEGAN, "person 3 in “yard”")


@pytest.fixture(autouse=True)
def _asked_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the test's own connection, which knows what is not committed."""

    def ask(_: float, question: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return question()
        except OperationalError:
            return otherwise

    monkeypatch.setattr("detection.services.holding.within", ask)


class Clocks:
    """Both clocks of a host, set by hand."""

    def __init__(self) -> None:
        self.mark = Mark(monotonic=1000.0, wall=1_700_000_000.0)

    def go_on(self, seconds: float, *, monotonic: bool = True, wall: bool = True) -> None:
        self.mark = replace(
            self.mark,
            monotonic=self.mark.monotonic + seconds * monotonic,
            wall=self.mark.wall + seconds * wall,
        )


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def take(camera: Camera, instance: str) -> Lease:
    lease = claims.take_lease(
        camera_id=camera.pk,
        instance=instance,
        worker=f"streams@{instance}",
        max_cameras=10,
        at=claims.database_now(),
    )
    assert lease is not None
    return lease


def a_holding(clocks: Clocks) -> Holding:
    camera = Camera.objects.create(registry="laravel", name="Yard", external_id=1)
    return Holding(take(camera, "here"), clocks.mark, now=lambda: clocks.mark)


def lapse(holding: Holding) -> None:
    Claim.objects.update(expires_at=claims.database_now() - timedelta(seconds=1))


def overtake(holding: Holding) -> Lease:
    lapse(holding)
    return take(Camera.objects.get(), "elsewhere")


@contextmanager
def database_away() -> Iterator[list[str]]:
    """Each statement fails as one whose connection broke; yields those that were tried."""
    tried: list[str] = []

    def fail(execute: Callable[..., Any], sql: str, *_: Any) -> Any:
        tried.append(sql)
        raise OperationalError("the database is away")

    with connection.execute_wrapper(fail):
        yield tried


def test_a_lease_that_cannot_have_run_out_is_not_asked_for(
    clocks: Clocks, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    holding = a_holding(clocks)
    clocks.go_on(9.9)
    with django_assert_num_queries(0):
        holding.make_sure()


@pytest.mark.parametrize("clock", ["monotonic", "wall"])
def test_who_slept_through_his_lease_learns_that_he_was_overtaken(
    clocks: Clocks, clock: str
) -> None:
    holding = a_holding(clocks)
    overtake(holding)
    clocks.go_on(10, monotonic=clock == "monotonic", wall=clock == "wall")
    with pytest.raises(Overtaken):
        holding.make_sure()


def test_a_clock_that_was_set_back_hides_no_pause(clocks: Clocks) -> None:
    holding = a_holding(clocks)
    overtake(holding)
    clocks.go_on(-3600, monotonic=False)
    clocks.go_on(10, wall=False)
    with pytest.raises(Overtaken):
        holding.make_sure()


def test_who_was_overtaken_stays_so_and_does_not_ask_again(
    clocks: Clocks, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    holding = a_holding(clocks)
    overtake(holding)
    clocks.go_on(60)
    with pytest.raises(Overtaken):
        holding.make_sure()
    with django_assert_num_queries(0), pytest.raises(Overtaken):
        holding.make_sure()


def test_a_lease_that_nobody_took_is_ours_for_another_lease_time(clocks: Clocks) -> None:
    holding = a_holding(clocks)
    lapse(holding)
    clocks.go_on(60)
    holding.make_sure()
    left = Claim.objects.get().expires_at
    assert left is not None
    assert (left - claims.database_now()).total_seconds() == pytest.approx(12, abs=1)


@pytest.mark.django_db(transaction=True)  # its connection is closed
def test_a_database_that_is_away_overtakes_nobody_and_is_not_waited_for_twice(
    clocks: Clocks,
) -> None:
    holding = a_holding(clocks)
    clocks.go_on(60)
    with database_away() as tried:
        holding.make_sure()
        assert len(tried) == 1
        clocks.go_on(4)
        holding.make_sure()
        assert len(tried) == 1, "it was away a moment ago: the siren does not wait for it"
        clocks.go_on(0.1)
        holding.make_sure()
        assert len(tried) == 2


@pytest.mark.django_db(transaction=True)  # its connection is closed
def test_a_database_that_came_back_during_a_pause_is_asked(clocks: Clocks) -> None:
    holding = a_holding(clocks)
    clocks.go_on(60)
    with database_away():
        holding.make_sure()
    overtake(holding)
    clocks.go_on(60)
    with pytest.raises(Overtaken):
        holding.make_sure()


def test_who_was_overtaken_sounds_no_siren_and_writes_nothing(clocks: Clocks) -> None:
    holding = a_holding(clocks)
    new = overtake(holding)
    clocks.go_on(60)
    heard: list[object] = []

    def listen(**facts: object) -> None:
        heard.append(facts)

    signals.siren_wanted.connect(listen)
    try:
        with pytest.raises(Overtaken):
            EpisodeRecorder(holding, DjangoEvidenceStore()).record(OPENED, [])
        assert heard == []
        assert not Episode.objects.exists()
        EpisodeRecorder(Holding(new, Mark.now()), DjangoEvidenceStore()).record(OPENED, [])
        assert len(heard) == 1
    finally:
        signals.siren_wanted.disconnect(listen)
