"""Figures of a prediction, with how far chance could have moved them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Flags = NDArray[np.bool_]
Probabilities = NDArray[Any]  # 0 to 1, or True and False
Figure = Callable[[Flags, Probabilities], float]

HALF: Final = 0.5
BOOTSTRAPS: Final = 2000


def auc(fights: Flags, said: Probabilities) -> float:
    """Of all pairs of a fight and another clip the share ranked rightly, ties by half."""
    yes, no = said[fights], said[~fights]
    return _ranked_rightly(yes, no) / (len(yes) * len(no))


def _ranked_rightly(yes: Probabilities, no: Probabilities) -> float:
    """The number of pairs, by the ranks of all (Mann and Whitney, 1947)."""
    ranks = rankdata(np.concatenate([yes, no]))[: len(yes)]
    return float(ranks.sum() - len(yes) * (len(yes) + 1) / 2)


def accuracy(fights: Flags, said: Probabilities) -> float:
    return float(np.mean((said >= HALF) == fights))


def precision(fights: Flags, said: Probabilities) -> float:
    return float(np.mean(fights[said >= HALF])) if (said >= HALF).any() else 0.0


def recall(fights: Flags, said: Probabilities) -> float:
    return float(np.mean(said[fights] >= HALF))


def auc_within_sources(
    fights: Flags, said: Probabilities, sources: Sequence[str]
) -> tuple[float, int]:
    """Of the pairs of a fight and another clip of the same video, the share ranked rightly.

    No model can win it by knowing videos that show fights only. Also the number of pairs.
    """
    names = np.array(sources)
    right, pairs = 0.0, 0
    for name in sorted(set(sources)):
        ours = names == name
        yes, no = said[ours & fights], said[ours & ~fights]
        right += _ranked_rightly(yes, no)
        pairs += len(yes) * len(no)
    return (right / pairs if pairs else float("nan")), pairs


def interval(
    figure: Figure, fights: Flags, said: Probabilities, sources: Sequence[str], seed: int
) -> tuple[float, float]:
    """95 of 100 draws of as many videos, with all their clips, give a figure between these."""
    randomness = np.random.default_rng(seed)
    names = sorted(set(sources))
    clips = {name: np.flatnonzero(np.array(sources) == name) for name in names}
    drawn: list[float] = []
    while len(drawn) < BOOTSTRAPS:
        chosen = randomness.choice(len(names), len(names))
        numbers = np.concatenate([clips[names[number]] for number in chosen])
        if 0 < fights[numbers].sum() < len(numbers):
            drawn.append(figure(fights[numbers], said[numbers]))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def by_fold(
    figure: Figure, fights: Flags, said: Probabilities, fold: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean and standard deviation over the folds."""
    values = [figure(fights[fold == f], said[fold == f]) for f in sorted(set(fold.tolist()))]
    return float(np.mean(values)), float(np.std(values))
