"""What is wrong with the site itself, for reading only: a full disk, a back end that is away."""

from django.contrib import admin

from detection.admin.base import ReadOnlyAdmin
from detection.admin.presentation import moment
from detection.models import Trouble


@admin.register(Trouble)
class TroubleAdmin(ReadOnlyAdmin[Trouble]):
    empty_title = "Nothing is wrong with the site"
    empty_text = (
        "What shows in no camera, episode or report is named here for as long as it lasts: a disk "
        "that takes no picture, a back end that does not answer."
    )
    list_display = ("subject", "text", "began", "last")
    fields = ("subject", "text", "began", "last")

    @admin.display(description="since", ordering="since")
    def began(self, trouble: Trouble) -> str:
        return moment(trouble.since)

    @admin.display(description="last seen", ordering="last_at")
    def last(self, trouble: Trouble) -> str:
        return moment(trouble.last_at)
