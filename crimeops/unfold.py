"""The admin's frame: its name, its sidebar and the figures of its first page.

The sidebar and the overview name what they show by dotted path: this package is the door and knows
names, never classes.
"""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.module_loading import import_string

# Title, icon, model, function that counts what waits there.
PAGES = (
    ("Episodes", "crisis_alert", "detection.episode", "detection.admin.dashboard.unreviewed_badge"),
    ("Cameras", "videocam", "detection.camera", "detection.admin.dashboard.camera_badge"),
    ("View health", "visibility_off", "detection.healthevent", ""),
    ("Zones", "activity_zone", "detection.zone", ""),
    ("Site", "tune", "detection.site", ""),
    ("Schedules", "calendar_month", "detection.schedule", ""),
    ("Calibration", "balance", "detection.thresholdsuggestion", ""),
    (
        "Deliveries",
        "outbox",
        "integrations.delivery",
        "integrations.admin.dashboard.delivery_badge",
    ),
    ("Sirens", "campaign", "integrations.siren", ""),
    ("Claims", "lock_clock", "detection.claim", ""),
    ("Troubles", "warning", "detection.trouble", "detection.admin.dashboard.trouble_badge"),
    ("Users", "group", "auth.user", ""),
    ("Groups", "groups", "auth.group", ""),
    ("Audit trail", "history", "detection.auditrecord", ""),
    ("Failed logins", "lock_person", "detection.loginattempt", ""),
)
CARDS = ("detection.admin.dashboard.cards", "integrations.admin.dashboard.cards")
BADGE_VARIANTS = {"bad": "danger", "warning": "warning", "active": "info"}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages this user may see, each with a badge where something waits there."""
    overview = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    allowed = [page for page in PAGES if _may_view(request, page[2])]
    return [{"items": [overview, *(_item(request, *page) for page in allowed)]}]


def _may_view(request: HttpRequest, label: str) -> bool:
    app, _, model = label.partition(".")
    return any(request.user.has_perm(f"{app}.{verb}_{model}") for verb in ("view", "change"))


def _item(request: HttpRequest, title: str, icon: str, label: str, badge: str) -> dict[str, Any]:
    link = reverse(f"admin:{label.replace('.', '_')}_changelist")
    item: dict[str, Any] = {"title": title, "icon": icon, "link": link}
    if badge:
        count, tone = import_string(badge)(request)
        if count:
            item |= {"badge": count, "badge_variant": BADGE_VARIANTS[tone]}
    return item


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: the cards of both halves."""
    return {
        **context,
        "title": "Overview",
        "cards": [card for name in CARDS for card in import_string(name)(request)],
    }


def style_sheet(request: HttpRequest) -> str:
    """Address of our own style sheet, known only when static files are set up."""
    return static("detection/admin.css")


def icon(request: HttpRequest) -> str:
    """Address of the picture that a browser shows on the tab."""
    return static("detection/icon.svg")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CrimeOps",
    "SITE_HEADER": "CrimeOps",
    "SITE_SYMBOL": "local_police",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": icon}],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "crimeops.unfold.overview",
    "STYLES": [style_sheet],
    "SIDEBAR": {"navigation": navigation},
    "COLORS": {
        # Tailwind's blue, https://tailwindcss.com/docs/colors
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
}
