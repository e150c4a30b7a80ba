"""Says how often the shipped defaults are right on labelled clips, and how often they cry wolf.

DIR holds a folder for each label, or labels.csv with the columns file,label,source and maybe
began,ended (seconds of the act) and light (day or night). Labels are the eight types of crime,
`fight`, and for no crime `normal`, `none` or `no_fight`. A zones.json in a clip's folder, or
NAME.zones.json beside NAME.mp4, gives the zones of `manage.py watch --zones`.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.detectors.factory import usable_cores
from detection.evaluation.evaluation import Evaluation, EvaluationOptions
from detection.evaluation.reporting import Bar, check_outputs, report, write_outputs
from detection.labelled_clips import LabelsError
from detection.ports import DetectorError
from detection.training.labelled_clips import TrainingError


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folders", metavar="DIR", nargs="+", type=Path)
        parser.add_argument(
            "--quiet",
            metavar="DIR",
            action="append",
            default=[],
            type=Path,
            help="footage without any crime, in no order: for false episodes per camera-hour",
        )
        parser.add_argument("--json", metavar="FILE", type=Path, help="write the card")
        parser.add_argument("--plots", metavar="DIR", type=Path, help="draw ROC and confidence")
        parser.add_argument("--markdown", action="store_true", help="print it for a document")
        parser.add_argument(
            "--cross-validated",
            action="store_true",
            help="judge the one DIR, of fight and no_fight, by fight models trained on its other "
            "sources: for clips that the shipped model was trained on; takes minutes more",
        )
        parser.add_argument("--processes", type=int, default=usable_cores())
        parser.add_argument("--seed", type=int, default=0, help="of intervals and of folds")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["seed"] < 0 or options["processes"] < 1:
            raise CommandError("--seed starts at 0 and --processes at 1", returncode=2)
        if options["cross_validated"] and len(options["folders"]) != 1:
            raise CommandError("--cross-validated takes one DIR", returncode=2)
        wanted = EvaluationOptions(
            folders=options["folders"],
            quiet=options["quiet"],
            cross_validated=options["cross_validated"],
            processes=options["processes"],
            seed=options["seed"],
            cache_folder=Path(settings.STATE_DIR) / "fights",
        )
        try:
            check_outputs(options["json"], options["plots"])
            with Bar(sys.stderr) as bar:
                evaluation = Evaluation.of(wanted, bar)
            write_outputs(evaluation, options["json"], options["plots"])
        except (LabelsError, TrainingError) as error:
            raise CommandError(str(error), returncode=2) from None
        except DetectorError as error:
            raise CommandError(str(error)) from None
        report(evaluation.card, self.stdout, markdown=options["markdown"])
