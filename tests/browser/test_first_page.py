"""The first page, for everybody: no barrier, and no scrolling sideways on a phone."""

from tests.browser.desk import Desk


def test_the_first_page_is_usable_by_everybody(desk: Desk) -> None:
    desk.open("index")
    assert desk.barriers() == []


def test_the_first_page_fits_a_phone(desk: Desk) -> None:
    desk.on_a_phone()
    desk.open("index")
    assert desk.overflow() == 0
