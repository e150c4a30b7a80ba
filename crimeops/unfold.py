"""The admin's frame: its name, its sidebar and the figures of its first page.

The sidebar and the overview name what they show by dotted path: this package is the door and knows
names, never classes.
"""

import logging
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

# For each group its title, and of each page: title, icon, model, function that counts what waits
# there, and the page's name where it is not the list of the model.
Page = tuple[Any, str, str, str, str]
GROUPS: tuple[tuple[Any, tuple[Page, ...]], ...] = (
    (
        "",
        (
            (_("Wall"), "grid_view", "detection.camera", "", "admin:wall"),
            (
                _("Episodes"),
                "crisis_alert",
                "detection.episode",
                "detection.admin.dashboard.unreviewed_badge",
                "",
            ),
            (
                _("Cameras"),
                "videocam",
                "detection.camera",
                "detection.admin.dashboard.camera_badge",
                "",
            ),
            (_("Sirens"), "campaign", "integrations.siren", "", ""),
            (
                _("Deliveries"),
                "outbox",
                "integrations.delivery",
                "integrations.admin.dashboard.delivery_badge",
                "",
            ),
        ),
    ),
    (
        _("Setup"),
        (
            (_("Zones"), "activity_zone", "detection.zone", "", ""),
            (_("Site"), "tune", "detection.site", "", ""),
            (_("Schedules"), "calendar_month", "detection.schedule", "", ""),
            (_("Calibration"), "balance", "detection.thresholdsuggestion", "", ""),
        ),
    ),
    (
        _("Operation"),
        (
            (_("View health"), "visibility_off", "detection.healthevent", "", ""),
            (
                _("Troubles"),
                "warning",
                "detection.trouble",
                "detection.admin.dashboard.trouble_badge",
                "",
            ),
            (_("Claims"), "lock_clock", "detection.claim", "", ""),
            (_("Jobs (Flower)"), "work_history", "detection.watch_jobs", "", "flower"),
        ),
    ),
    (
        _("People"),
        (
            (_("Users"), "group", "auth.user", "", ""),
            (_("Groups"), "groups", "auth.group", "", ""),
            (_("Audit trail"), "history", "detection.auditrecord", "", ""),
            (_("Failed logins"), "lock_person", "detection.loginattempt", "", ""),
        ),
    ),
)
CARDS = (
    "detection.admin.dashboard.cards",
    "integrations.admin.dashboard.cards",
    "detection.admin.machinery.cards",
)
ORDER = ("bad", "warning", "active", "neutral", "good")
LOUD = ("bad", "warning", "active")
BADGE_VARIANTS = {"bad": "danger", "warning": "warning", "active": "info"}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages this user may see, each with a badge where something waits there."""
    overview = {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")}
    groups = []
    for title, pages in GROUPS:
        items = [_item(request, *page) for page in pages if _may_view(request, page[2])]
        groups.append({"title": title, "items": items if title else [overview, *items]})
    return [group for group in groups if group["items"]]


def _may_view(request: HttpRequest, label: str) -> bool:
    """By a model's name, whether one may see it; by a permission's, whether one has it."""
    app, _dot, model = label.partition(".")
    names = (label, f"{app}.view_{model}", f"{app}.change_{model}")
    return any(request.user.has_perm(name) for name in names)


def _item(
    request: HttpRequest, title: Any, icon: str, label: str, badge: str, name: str
) -> dict[str, Any]:
    link = reverse(name or f"admin:{label.replace('.', '_')}_changelist")
    item: dict[str, Any] = {"title": title, "icon": icon, "link": link}
    if badge:
        count, tone = import_string(badge)(request)
        if count:
            item |= {"badge": count, "badge_variant": BADGE_VARIANTS[tone]}
    return item


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows: what is wrong comes first, what is well is said quietly."""
    cards, missing = [], False
    for name in CARDS:
        try:
            cards += import_string(name)(request)
        except Exception:
            logger.exception("the overview goes without %s", name)
            missing = True
    cards.sort(key=lambda card: ORDER.index(card.tone))
    return {
        **context,
        "title": _("Overview"),
        "wrong": [card for card in cards if card.tone in LOUD],
        "well": [card for card in cards if card.tone not in LOUD],
        "is_incomplete": missing,
    }


def style_sheet(request: HttpRequest) -> str:
    """Address of our own style sheet, known only when static files are set up."""
    return static("detection/admin.css")


def right_to_left(request: HttpRequest) -> str:
    """Address of what mirrors the theme; it matches nothing where one reads to the right."""
    return static("detection/rtl.css")


def time_zone_script(request: HttpRequest) -> str:
    """Address of the script that tells the browser's time zone."""
    return static("detection/desk/time_zone.js")


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """What stands below the name of who is logged in."""
    links = [{"title": _("Language and time zone"), "link": reverse("admin:preferences")}]
    if getattr(request.user, "has_usable_password", bool)():
        links.append({"title": _("Change password"), "link": reverse("admin:password_change")})
    return links


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
    "STYLES": [style_sheet, right_to_left],
    "SCRIPTS": [time_zone_script],
    "ACCOUNT": {"navigation": account_links},
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
