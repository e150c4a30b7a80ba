"""One officer's browser, and what every page is asked."""

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from django.urls import reverse

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

SERIOUS = {"serious", "critical"}
PHONE = {"width": 390, "height": 844}


class Desk:
    """`page` is Playwright's; `script_errors` is what the console said in red."""

    def __init__(self, page: "Page", address: str, officer: User) -> None:
        self.page = page
        self.address = address
        self.officer = officer
        self.script_errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.script_errors.append(str(error)))

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.script_errors.append(message.text)

    def open(self, name: str, *arguments: object, query: str = "") -> None:
        """Go to a page of the admin by its name, as `detection_episode_change` and its key."""
        path = reverse(f"admin:{name}", args=arguments)
        self.page.goto(f"{self.address}{path}{query}")

    def on_a_phone(self) -> None:
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # its own type of dict

    def in_the_dark(self) -> None:
        self.page.emulate_media(color_scheme="dark")

    def barriers(self) -> list[str]:
        """What axe finds serious or worse on the page as it is now, one line each."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{violation['id']}: {violation['help']} ({node['html'][:120]})"
            for violation in found
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))
