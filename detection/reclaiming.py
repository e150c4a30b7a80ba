"""A camera that its registry took back while we watch it: claimed again beside the watch."""

import logging
import threading

from django.db import Error as DatabaseFault
from django.db import connection

from detection.models import Camera
from detection.ports import CameraRegistry, RegistryError
from detection.services import claims
from detection.services.claims import Lease, NotWanted

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0  # a goodbye has no more to spare


class Reclaim:
    """Claims again a camera that its registry took back, and does not hold its watch up."""

    def __init__(self, lease: Lease, camera: Camera, registry: CameraRegistry) -> None:
        self._lease = lease
        self._camera = camera
        self._registry = registry
        self._attempt: threading.Thread | None = None
        self._refusal = ""
        self._over = threading.Event()

    def attempt(self) -> None:
        """Ask once at a time. Raises NotWanted where the registry refused."""
        if self._refusal:
            claims.note_held(lease=self._lease, held=False, at=claims.database_now())
            raise NotWanted(f"camera {self._camera.pk} is let go: {self._refusal}")
        if self._attempt is None or not self._attempt.is_alive():
            self._attempt = threading.Thread(target=self._ask, daemon=True)
            self._attempt.start()

    def close(self) -> bool:
        """Ask no more; False where an attempt is still under way, and may claim it after us.

        Then it undoes that itself. If this process ends before, the camera is still noted as held,
        and whoever is rung for it does.
        """
        self._over.set()
        if self._attempt is None:
            return True
        self._attempt.join(CLOSE_SECONDS)
        return not self._attempt.is_alive()

    def _ask(self) -> None:
        try:
            self._registry.claim(self._camera.external_id)
            if self._over.is_set():
                self._undo()
                return
            claims.note_held(lease=self._lease, held=True, at=claims.database_now())
        except RegistryError as error:
            if error.unanswered:
                logger.error("camera %s is not claimed again yet: %s", self._camera.pk, error)
            else:
                self._refusal = str(error)
        except DatabaseFault as error:
            logger.error("camera %s: its claim is not noted yet: %s", self._camera.pk, error)
        else:
            logger.warning(
                "camera %s was taken back by its registry and is claimed again", self._camera.pk
            )
        finally:
            connection.close()  # of this thread alone

    def _undo(self) -> None:
        """The watch is over; where the instance has begun another, the claim is that one's."""
        if claims.is_held(lease=self._lease):
            self._registry.release(self._camera.external_id)
            claims.note_held(lease=self._lease, held=False, at=claims.database_now())
            logger.info("camera %s was claimed too late and is released", self._camera.pk)
