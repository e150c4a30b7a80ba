"""How urgent an episode is, kept with it at each of its steps, and set for those of before."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from detection.domain.crimes import CrimeType
from detection.domain.episodes import (
    ConfidenceChanged,
    CrimeConfirmed,
    EpisodeEnded,
    EpisodeEvent,
    EpisodeOpened,
    EpisodeState,
)
from detection.domain.severity import severity_of
from detection.models import Episode
from tests.integration.test_episodes import BEGAN, a_camera, a_lease, after, record_step

crimes = st.sampled_from(list(CrimeType))


def opened(crime_type: CrimeType) -> EpisodeEvent:
    return EpisodeOpened(after(0), crime_type, 55.0, after(0), "why")


later_steps = st.one_of(
    st.builds(lambda crime: ConfidenceChanged(after(1), crime, 70.0), crimes),
    st.builds(lambda crime: CrimeConfirmed(after(2), crime, 90.0, after(0), "surely"), crimes),
    st.sampled_from(
        [EpisodeEnded(after(3), state) for state in (EpisodeState.CLEARED, EpisodeState.LOST)]
    ),
)


class SeverityOfSteps(TestCase):
    @given(crimes, st.lists(later_steps, max_size=6))
    def test_after_each_step_severity_is_that_of_what_the_episode_says(
        self, first: CrimeType, steps: list[EpisodeEvent]
    ) -> None:
        Episode.objects.all().delete()
        key = uuid4()
        lease = a_lease(a_camera(number=uuid4().int % 10**9))
        highest = 0
        for step, event in enumerate([opened(first), *steps], start=1):
            record_step(lease, key, event, step)
            episode = Episode.objects.get(pk=key)
            confirmed = episode.confirmed_at is not None
            kind = CrimeType(episode.crime_type)
            assert episode.severity == severity_of(kind, confirmed=confirmed)
            assert episode.severity >= highest, "an episode never becomes less urgent by itself"
            highest = episode.severity


@given(crimes, crimes)
def test_each_confirmed_crime_comes_before_each_suspected_one(
    one: CrimeType, two: CrimeType
) -> None:
    assert severity_of(one, confirmed=True) > severity_of(two, confirmed=False) > 0


def test_a_confirmed_robbery_is_the_most_urgent() -> None:
    assert severity_of(CrimeType.ROBBERY, confirmed=True) == 190
    assert severity_of(CrimeType.SUSPICIOUS_ACTIVITY, confirmed=False) == 20


@pytest.mark.django_db(transaction=True)
def test_episodes_of_before_get_their_severity() -> None:
    leaves = [(app, name) for app, name in MigrationExecutor(connection).loader.graph.leaf_nodes()]
    try:
        old = _models_at("0006_review_desk")
        camera = old.get_model("detection", "Camera").objects.create(external_id=1, name="Yard")
        for kind in CrimeType:
            for confirmed_at in (None, BEGAN):
                old.get_model("detection", "Episode").objects.create(
                    camera=camera,
                    claim_token=1,
                    status="cleared",
                    crime_type=kind.value,
                    confidence=60,
                    started_at=BEGAN,
                    alerted_at=BEGAN,
                    decided_at=timezone.now(),
                    confirmed_at=confirmed_at,
                )
        new = _models_at("0010_queue").get_model("detection", "Episode").objects.all()
        assert len(new) == 16
        for episode in new:
            confirmed = episode.confirmed_at is not None
            kind = CrimeType(episode.crime_type)
            assert episode.severity == severity_of(kind, confirmed=confirmed)
    finally:
        MigrationExecutor(connection).migrate(leaves)


def _models_at(name: str) -> Any:
    MigrationExecutor(connection).migrate([("detection", name)])
    return MigrationExecutor(connection).loader.project_state([("detection", name)]).apps


@pytest.mark.django_db
def test_an_episode_is_called_after_the_worst_crime_that_was_confirmed() -> None:
    lease, key = a_lease(a_camera()), uuid4()
    record_step(lease, key, opened(CrimeType.TRESPASSING), 1)
    said = []
    for step, crime in enumerate(
        (CrimeType.TRESPASSING, CrimeType.FIGHTING, CrimeType.VANDALISM), start=2
    ):
        event = CrimeConfirmed(after(step), crime, 90.0, after(0), f"sure of {crime}")
        record_step(lease, key, event, step)
        episode = Episode.objects.get(pk=key)
        said.append((episode.crime_type, episode.reason))
    assert said == [
        ("trespassing", "sure of trespassing"),
        ("fighting", "sure of fighting"),
        ("fighting", "sure of fighting"),
    ]
    assert (episode.confirmed_at, episode.severity) == (after(2), 180)
