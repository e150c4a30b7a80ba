"""Who hangs must not hold up the sirens that share a worker with him."""

import socket
import time
from pathlib import Path

import pytest

from simulators.tapo import SimulatedTapo
from tests.e2e.cluster import Cluster
from tests.services import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SEED = """
from datetime import timedelta
from uuid import UUID
from django.utils import timezone
from detection.models import Camera, Episode
from integrations.models import Delivery
from crimeops.ringing import ring
now = timezone.now()
def camera(number, address):
    return Camera.objects.create(registry="laravel", external_id=number, name=f"Camera {number}",
        address=address, control_address=address, username="operator", password="secret-word")
def episode(of):
    return Episode.objects.create(camera=of, claim_token=1, crime_type="trespassing", confidence=55,
        started_at=now, alerted_at=now, decided_at=now - timedelta(minutes=5), status="lost")
for number in range(10, 50):
    told = camera(number, "")
    Delivery.objects.create(reporter="laravel", kind="alert", camera=told, episode=episode(told),
        sequence=1, payload={"confidence": 55}, next_attempt_at=now, attempts=1)
for delivery in Delivery.objects.all():
    ring("integrations.deliver", str(delivery.pk))
silent = camera(2, "127.0.0.1:%(silent)d")
for _ in range(20):
    ring("integrations.warm_alarm", silent.pk)
ring("integrations.sound_siren", silent.pk, str(episode(silent).pk))
"""
SOUND = """
from uuid import uuid4
from detection.models import Camera
from crimeops.ringing import ring
loud = Camera.objects.create(registry="laravel", external_id=1, name="Loud", username="operator",
    address="127.0.0.1", control_address="127.0.0.1:%(control)d", password="secret-word")
ring("integrations.sound_siren", loud.pk, str(uuid4()))
"""


def test_a_back_end_and_a_camera_that_hang_hold_up_no_other_siren(
    tmp_path: Path, broker_url: str, model_dir: Path, scene: Path
) -> None:
    camera = SimulatedTapo(user="operator", password="secret-word", clip=scene)
    sqlite = f"sqlite:///{tmp_path / 'cluster.sqlite3'}"
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as silent,
        Cluster(tmp_path, broker_url, sqlite, model_dir, [camera]) as cluster,
    ):
        cluster.backend.fault("hang")
        cluster.start_worker("alarms-reports", "alarms,reports,default")
        ports = {"silent": silent.getsockname()[1], "control": camera.control_port}
        cluster.manage("shell", "--no-imports", "-c", SEED % ports)
        wait_until(lambda: len(cluster.backend.calls_to("/alert")) >= 1, "deliveries hang", 30)
        cluster.manage("shell", "--no-imports", "-c", SOUND % ports)
        rung = time.monotonic()
        wait_until(lambda: camera.siren_calls, "the siren sounds in spite of them", 10, 0.01)
        print(f"siren after {time.monotonic() - rung:.2f} s beside those who hang")
        assert time.monotonic() - rung < 3.0
