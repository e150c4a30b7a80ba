"""The site's networks, loaded for a command that judges in the foreground."""

import logging
from dataclasses import dataclass

from django.conf import settings

from detection.detectors.factory import warm_up
from detection.detectors.fights import load_fight_classifier
from detection.frame_judging import FrameJudging
from detection.ports import CloseLooker, Detector, DetectorError
from detection.site_models import check_models, load_own_classifier, load_site_detector

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SiteNetworks:
    """What a gpu worker of the site would run, warm already, so that no first frame waits."""

    detector: Detector
    looker: CloseLooker | None
    judging: FrameJudging | None

    @classmethod
    def load(cls) -> "SiteNetworks":
        """Raises DetectorError, also where models mean nothing to the rules."""
        detector, classifier = load_site_detector(), load_own_classifier()
        check_models(detector, classifier)
        warm_up(detector)
        return cls(detector, _looker(), FrameJudging(classifier) if classifier else None)


def _looker() -> CloseLooker | None:
    """As on the site, everything else is seen also where nobody can look closely."""
    environment = settings.ENVIRONMENT
    try:
        return load_fight_classifier(environment.model_dir) if environment.fight_detection else None
    except DetectorError as error:
        logger.warning("no fight will be seen: %s", error)
        return None
