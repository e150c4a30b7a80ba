"""Pages of the admin that belong to no table: their addresses, and who is let in."""

from collections.abc import Callable

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from detection.admin.preferences import preferences_page
from detection.admin.wall import wall_page, wall_states

Addresses = list[URLPattern | URLResolver]


def with_site_pages(get_urls: Callable[[], Addresses]) -> Callable[[], Addresses]:
    """Ours before Django's, whose last one takes every address."""

    def urls() -> Addresses:
        return [*_site_pages(), *get_urls()]

    return urls


def _site_pages() -> Addresses:
    guarded = admin.site.admin_view
    return [
        path("preferences/", guarded(preferences_page), name="preferences"),
        path("wall/", guarded(wall_page), name="wall"),
        path("wall/states/", guarded(wall_states), name="wall_states"),
    ]
