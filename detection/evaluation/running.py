"""Judges many clips in several processes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import django

from detection.detectors.fights import Probabilities
from detection.evaluation.viewings import Viewing
from detection.labelled_clips import LabelledClip, LabelsError

Progress = Callable[[int], object]  # told how many clips are done
Models = Mapping[Path, Probabilities]  # by clip; the shipped one judges the others
Job = tuple[LabelledClip, Probabilities | None]


def view_all(
    clips: Sequence[LabelledClip], models: Models, processes: int, progress: Progress
) -> list[Viewing]:
    """Judge the clips, in their order. Raises LabelsError that names every clip without pictures.

    Raises DetectorError.
    """
    # The largest first, so that no process is left alone with a long film at the end.
    order = sorted(range(len(clips)), key=lambda number: -clips[number].path.stat().st_size)
    jobs = [(clips[number], models.get(clips[number].path)) for number in order]
    answers: dict[int, Viewing | str] = {}
    for done, (number, answer) in enumerate(zip(order, _answers(jobs, processes), strict=True), 1):
        progress(done)
        answers[number] = answer
    in_order = [answers[number] for number in range(len(clips))]
    if faults := [answer for answer in in_order if isinstance(answer, str)]:
        raise LabelsError("; ".join(faults))
    return [answer for answer in in_order if isinstance(answer, Viewing)]


def _answers(jobs: Sequence[Job], processes: int) -> Iterator[Viewing | str]:
    if processes == 1 or len(jobs) == 1:
        yield from map(_view_or_fault, jobs)
        return
    # Spawned: neither OpenVINO's threads nor OpenCV's survive a fork.
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_prepare
    ) as pool:
        try:
            yield from pool.map(_view_or_fault, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


def _prepare() -> None:
    """What `manage.py` has done for the first process; the judging imports models."""
    import cv2

    cv2.setNumThreads(1)
    django.setup()


def _view_or_fault(job: Job) -> Viewing | str:
    """A fault comes back as words, so that all are named at once."""
    # Here, not above: a new process must be prepared before it imports Django's models.
    from detection.evaluation.judging import view

    try:
        return view(*job)
    except LabelsError as error:
        return str(error)
