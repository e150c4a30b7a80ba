"""Trains the fight model on a folder of labelled clips and says how right it is.

The folder holds `labels.csv` with the columns file,label,source; labels are fight and no_fight, the
source is the video that a clip was cut from. Clips of one source are never trained and tested on.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.detectors.fights import SHIPPED
from detection.ports import DetectorError


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the clips and labels.csv")
        parser.add_argument("--out", type=Path, default=SHIPPED, help="where model and card go")
        parser.add_argument("--seed", type=int, default=0, help="of folds and of worsened views")
        parser.add_argument("--processes", type=int, default=2, help="that look at clips")

    def handle(
        self, *_: Any, folder: Path, out: Path, seed: int, processes: int, **__: Any
    ) -> None:
        try:
            # Here, not above: scikit-learn and onnx are installed where models are trained only.
            from detection.training.extraction import ExtractionOptions
            from detection.training.labelled_clips import TrainingError
            from detection.training.training import train
        except ImportError as error:
            raise CommandError(
                f"{error}: training needs the packages of requirements/dev.txt"
            ) from error
        if seed < 0 or processes < 1:
            raise CommandError("--seed starts at 0 and --processes at 1")
        environment = settings.ENVIRONMENT
        options = ExtractionOptions(
            model_folder=environment.model_dir,
            cache_folder=Path(settings.STATE_DIR) / "fights",
            seed=seed,
            processes=processes,
        )
        try:
            train(folder, out, options, self.stdout.write)
        except (TrainingError, DetectorError) as error:
            raise CommandError(str(error)) from error
