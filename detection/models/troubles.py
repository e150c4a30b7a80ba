"""What is wrong with the site itself, for as long as it is."""

from django.db import models


class Trouble(models.Model):
    """Something that no camera, episode or report shows: a full disk."""

    subject = models.CharField(max_length=200, unique=True)
    text = models.CharField(max_length=500)
    since = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["since"]

    def __str__(self) -> str:
        return self.subject


class Pulse(models.Model):
    """When the sweep last ran: a gap is a time in which no lease could be renewed either."""

    name = models.CharField(max_length=32, unique=True)
    at = models.DateTimeField()
    resumed_at = models.DateTimeField(help_text="The end of the last gap.")

    def __str__(self) -> str:
        return self.name
