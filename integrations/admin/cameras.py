"""What the page of a camera shows of telling: its siren's buttons."""

from django.http import HttpRequest
from django.template.loader import render_to_string

from detection.admin.camera_additions import ADDITIONS
from detection.models import Camera
from integrations.admin.episode_siren import MAY_SILENCE
from integrations.admin.sirens import MAY_TEST


class SirenButtons:
    """See CameraAddition."""

    def buttons(self, request: HttpRequest, camera: Camera) -> str:
        shown = (
            ("admin/integrations/siren_test_button.html", MAY_TEST),
            ("admin/integrations/siren_silence_button.html", MAY_SILENCE),
        )
        context = {"camera_id": camera.pk, "back": ""}
        return "".join(
            render_to_string(template, context, request)
            for template, permission in shown
            if request.user.has_perm(permission)
        )


ADDITIONS.append(SirenButtons())
