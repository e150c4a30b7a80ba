"""Pages that say that there is no page: in the reader's language, and giving nothing away."""

import pytest
from django.test import Client

from tests.rows import officer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "heading", "direction"), [("en", "Not found", "ltr"), ("ar", "غير موجود", "rtl")]
)
def test_a_missing_page_says_so_in_the_readers_language(
    language: str, heading: str, direction: str
) -> None:
    page = Client().get("/nowhere/<script>/", headers={"Accept-Language": language})
    text = page.content.decode()
    assert page.status_code == 404
    assert f"<h1>{heading}</h1>" in text
    assert f'dir="{direction}"' in text
    assert "nowhere" not in text


def test_what_one_may_not_see_looks_like_what_is_not_there() -> None:
    client = officer("viewer", "view_camera")
    hidden = client.get("/admin/detection/camera/1/live/still/")
    missing = client.get("/nowhere/")
    assert (hidden.status_code, hidden.content) == (404, missing.content)


def test_a_right_that_one_lacks_is_said() -> None:
    page = officer("viewer").get("/admin/wall/")
    assert page.status_code == 403
    assert "<h1>Not allowed</h1>" in page.content.decode()


def test_an_address_that_a_list_does_not_understand_leads_on() -> None:
    page = officer("viewer", "view_episode").get("/admin/detection/episode/?nonsense=1")
    assert page.status_code == 400
    assert "<h1>Not understood</h1>" in page.content.decode()
    assert "/admin/" in page.content.decode()
