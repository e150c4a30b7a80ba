"""What in a camera's setup watches nothing, or is broken, on the page of the camera."""

from django.utils.html import format_html, format_html_join

from detection.admin.telling import told
from detection.models import Camera, Zone
from detection.rules.contradictions import contradictions
from detection.services.setups import examine, rule_types


def warnings_of(camera: Camera) -> list[str]:
    """What is broken first, then what contradicts itself; judged once for a page."""
    known: list[str] | None = getattr(camera, "_setup_warnings", None)
    if known is None:
        known = _judge(camera)
        camera._setup_warnings = known  # type: ignore[attr-defined]  # lives as long as the page
    return known


def warnings_list(camera: Camera) -> str:
    items = format_html_join("", "<li>{}</li>", ((text,) for text in warnings_of(camera)))
    return format_html('<ul class="co-list">{}</ul>', items)


def _judge(camera: Camera) -> list[str]:
    draft = examine(camera.pk)
    off = Zone.objects.filter(camera=camera, enabled=False).values_list("name", flat=True)
    found = contradictions(draft.setup, rule_types(), list(off))
    broken = [f"{text[:1].upper()}{text[1:]}." for text in map(told, draft.faults)]
    return broken + [told(text) for text in found]
