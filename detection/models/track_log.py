"""Where people and vehicles were on a camera's picture, kept for some days to try zones out."""

from django.db import models

from detection.models.cameras import Camera


class TrackLog(models.Model):
    """Some minutes of positions, packed as detection/domain/track_log.py says."""

    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="track_logs")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(db_index=True)
    content = models.BinaryField()

    class Meta:
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["camera", "-began_at"], name="tracks_of_a_camera")]

    def __str__(self) -> str:
        return f"{self.camera} from {self.began_at:%H:%M:%S} to {self.ended_at:%H:%M:%S}"
