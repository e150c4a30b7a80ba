"""Rows that pages show, as the workers would have written them."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from detection.evidence.storage import DjangoEvidenceStore, fingerprint
from detection.keeping import ENDINGS
from detection.models import (
    Camera,
    CameraState,
    Claim,
    Episode,
    EvidenceFile,
    EvidenceKind,
    StationAccess,
    Zone,
)
from detection.services.evidence import attach_file
from integrations.models import Delivery, Siren

SECRETS = {
    "username": "wachmann-17",
    "password": "pa55/w@rd?x",
    "control_password": "tapo-cloud-secret",
    "stream_url": "rtsp://wachmann-17:pa55/w@rd?x@10.1.2.3:554/stream1?token=geheim",
}
FRAGMENTS = ("wachmann-17", "pa55", "w@rd", "tapo-cloud-secret", "geheim")
JPEG = b"\xff\xd8\xff\xe0 not really a picture"


def officer(name: str, *permissions: str) -> Client:
    """A browser of somebody of the staff with these permissions and no others."""
    user = User.objects.create_user(name, password="x", is_staff=True)
    StationAccess.objects.create(user=user, all_stations=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def a_camera(number: int = 1, **fields: Any) -> Camera:
    given = {"registry": "local", "name": f"Camera {number}", "address": f"10.0.0.{number}"}
    return Camera.objects.create(external_id=number, **{**given, **SECRETS, **fields})


def a_claim(camera: Camera, *, lease_seconds: float = 10, frame_age: float | None = 1) -> Claim:
    now = timezone.now()
    return Claim.objects.create(
        camera=camera,
        token=7,
        instance="node-1",
        worker="streams@node-1",
        claimed_at=now,
        expires_at=now + timedelta(seconds=lease_seconds),
        last_frame_at=None if frame_age is None else now - timedelta(seconds=frame_age),
        frames_per_second=14.5,
    )


def an_episode(camera: Camera, **fields: Any) -> Episode:
    start = fields.pop("started_at", timezone.now() - timedelta(minutes=5))
    given: dict[str, Any] = {
        "claim_token": 7,
        "status": "cleared",
        "crime_type": "trespassing",
        "confidence": 91.0,
        "reason": "person in zone",
        "started_at": start,
        "alerted_at": start,
        "ended_at": start + timedelta(seconds=42),
        "decided_at": start,
        "confidence_timeline": [[0.0, 52.0], [6.0, 91.0], [42.0, 30.0]],
    }
    return Episode.objects.create(camera=camera, **{**given, **fields})


def a_file(
    episode: Episode,
    kind: EvidenceKind = EvidenceKind.SNAPSHOT,
    content: bytes = JPEG,
    **fields: Any,
) -> EvidenceFile:
    """A kept file, written and chained as the keeper does."""
    size, sha256 = fingerprint(content)
    number = EvidenceFile.objects.filter(episode=episode).count() + 1
    name = f"episodes/{episode.pk}/{number:04d}-{kind}-{sha256[:12]}.{ENDINGS[kind]}"
    name = DjangoEvidenceStore().save(name, content)
    given = {"kind": kind, "name": name, "size": size, "sha256": sha256, **fields}
    file = attach_file(episode_id=episode.pk, **given)
    assert file is not None
    return file


def a_delivery(episode: Episode, sequence: int = 1, **fields: Any) -> Delivery:
    given: dict[str, Any] = {
        "reporter": "laravel",
        "kind": "alert",
        "payload": {"confidence": 91.0},
        "status": "refused",
        "last_error": "422: no such camera",
        "next_attempt_at": timezone.now(),
    }
    return Delivery.objects.create(
        camera=episode.camera, episode=episode, sequence=sequence, **{**given, **fields}
    )


def a_scene(number: int, **fields: Any) -> dict[str, Any]:
    """One row of each kind, all about one camera."""
    camera = a_camera(number, state=CameraState.RUNNING, **fields)
    episode = an_episode(camera, status="suspicious", ended_at=None)
    corners = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
    return {
        "detection/camera": camera,
        "detection/claim": a_claim(camera),
        "detection/zone": Zone.objects.create(camera=camera, name="yard", polygon=corners),
        "detection/episode": episode,
        "integrations/delivery": a_delivery(episode),
        "integrations/siren": Siren.objects.create(camera=camera, episode_id=episode.pk),
    }
