"""What is wrong with the site itself, for reading only: a full disk, a back end that is away."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin
from detection.admin.presentation import moment, plain
from detection.models import Trouble


@admin.register(Trouble)
class TroubleAdmin(ReadOnlyAdmin[Trouble]):
    empty_title = _("Nothing is wrong with the site")
    empty_text = _(
        "What shows in no camera, episode or report is named here for as long as it lasts: a disk "
        "that takes no picture, a back end that does not answer."
    )
    list_display = ("subject", "said", "began", "last")
    fields = ("subject", "said", "began", "last")

    @admin.display(description=_("text"), ordering="text")
    def said(self, trouble: Trouble) -> str:
        return plain(trouble.text)

    @admin.display(description=_("since"), ordering="since")
    def began(self, trouble: Trouble) -> str:
        return moment(trouble.since)

    @admin.display(description=_("last seen"), ordering="last_at")
    def last(self, trouble: Trouble) -> str:
        return moment(trouble.last_at)
