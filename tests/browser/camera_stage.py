"""A camera with a day behind it, and what its page shows at the moment."""

from datetime import timedelta

import cv2
import numpy as np
from django.utils import timezone
from playwright.sync_api import Page

from detection.models import Camera, Duty, HealthEvent, WatchedTime, Zone
from simulators.tapo import SimulatedTapo
from tests.rows import an_episode

PASSWORD = "pa55-w0rd-of-the-yard"
YARD = [[0.35, 0.45], [0.95, 0.45], [0.95, 0.97], [0.35, 0.97]]


def a_yard(tapo: SimulatedTapo) -> Camera:
    """A camera of our own with a zone, whose stream the simulated one serves."""
    camera = Camera.objects.create(
        registry="local",
        name="Yard gate",
        external_id=1,
        stream_url=tapo.rtsp_url,
        address="10.1.2.3",
        station_id=3,
    )
    Zone.objects.create(camera=camera, name="yard", polygon=YARD)
    return camera


def a_day(camera: Camera) -> None:
    """On duty for ten hours: covered for half an hour, and later unwatched for twelve minutes."""
    now = timezone.now()
    Duty.objects.create(camera=camera, began_at=now - timedelta(hours=10))
    for begin, end in ((10, 6), (5.5, 2), (1.8, 0)):
        WatchedTime.objects.create(
            camera=camera,
            began_at=now - timedelta(hours=begin),
            ended_at=now - timedelta(hours=end),
        )
    HealthEvent.objects.create(
        camera=camera,
        kind="covered",
        began_at=now - timedelta(hours=6),
        ended_at=now - timedelta(hours=5.5),
        detail="something is close before the lens",
    )
    for hours in (8.0, 3.2):
        an_episode(camera, started_at=now - timedelta(hours=hours))


def a_jpeg(level: int = 120) -> bytes:
    """A grey picture with somebody's outline in it."""
    pixels = np.full((360, 640, 3), level, np.uint8)
    cv2.rectangle(pixels, (200, 80), (330, 330), (30, 60, 200), -1)
    return bytes(cv2.imencode(".jpg", pixels)[1].tobytes())


def state_of(page: Page) -> str:
    """`none`, `still`, `live`, `late` or `old`: how the page calls its picture."""
    return str(page.locator(".cam-screen").get_attribute("data-state"))


def age_of(page: Page) -> str:
    return page.locator(".cam-age-text").inner_text()


def said_on(page: Page) -> str:
    return page.locator("#cam-live .cam-said").inner_text()
