"""Overlapping suspicions of one type are one suspicion, surer than each."""

from collections.abc import Iterable

from detection.domain.suspicions import Suspicion

MOST_REASONS = 2


def fuse(suspicions: Iterable[tuple[str, Suspicion]]) -> list[Suspicion]:
    """Fuse what different rules, named first in each pair, hold of the same people.

    Of one rule the surest counts; rules are independent witnesses: 50 and 50 make 75. Suspicions of
    one type that share nobody stay apart, and so do those with different thresholds of their zones:
    together they would be judged by thresholds that are not theirs.
    """
    groups: list[list[tuple[str, Suspicion]]] = []
    for rule, suspicion in suspicions:
        common = [group for group in groups if _belongs(suspicion, group)]
        for group in common:
            groups.remove(group)
        groups.append([*(pair for group in common for pair in group), (rule, suspicion)])
    return [_fused(group) for group in groups]


def _belongs(suspicion: Suspicion, group: list[tuple[str, Suspicion]]) -> bool:
    return any(
        suspicion.crime_type is other.crime_type
        and suspicion.thresholds == other.thresholds
        and not set(suspicion.track_ids).isdisjoint(other.track_ids)
        for _, other in group
    )


def _fused(group: list[tuple[str, Suspicion]]) -> Suspicion:
    surest: dict[str, Suspicion] = {}
    for rule, suspicion in group:
        if rule not in surest or suspicion.confidence > surest[rule].confidence:
            surest[rule] = suspicion
    witnesses = sorted(surest.values(), key=lambda suspicion: -suspicion.confidence)
    doubt = 1.0
    for witness in witnesses:
        doubt *= 1 - witness.confidence / 100
    who = dict.fromkeys(track_id for _, suspicion in group for track_id in suspicion.track_ids)
    reason = "; ".join(witness.reason for witness in witnesses[:MOST_REASONS])
    # Rounding must not make two witnesses less sure than the surer of them.
    confidence = max(witnesses[0].confidence, 100 * (1 - doubt) if len(witnesses) > 1 else 0.0)
    surest_of_all = witnesses[0]
    return Suspicion(
        surest_of_all.crime_type,
        confidence,
        tuple(who),
        reason,
        next((witness.zone for witness in witnesses if witness.zone), ""),
        surest_of_all.thresholds,
    )
