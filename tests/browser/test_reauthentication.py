"""The own password in the middle of a deed, in a browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import OperatorSession
from tests.browser.axe import violations
from tests.browser.conftest import Site, Window
from tests.support.apps import close
from tests.support.signed_in import OPERATOR_PASSWORD


@pytest.fixture
def forget(site: Site) -> Callable[[], None]:
    """Let more than ten minutes pass since the password was asked for."""

    def forgotten() -> None:
        app = create_app({"INSTANCE_PATH": str(site.folder), "TESTING": True})
        with app.app_context():
            db.session.execute(db.update(OperatorSession).values(confirmed_at=None))
            db.session.commit()
        close(app)

    return forgotten


def confirm(page: Page) -> None:
    """Type the password that is asked for."""
    expect(page.locator("h1")).to_have_text("Введите свой пароль")
    page.locator("input[name=own_password]").fill(OPERATOR_PASSWORD)
    page.locator("main .btn-save").click()


def test_many_numbers_go_through_the_question(russian: Window, forget: Callable[[], None]) -> None:
    page = russian.page
    page.goto("/removals/bulk")
    page.locator("#numbers").fill("77001\n77002")
    forget()
    page.locator("main .btn-save").click()
    assert violations(page) == []
    confirm(page)

    expect(page.locator("main .note-warn")).to_contain_text("77001, 77002")
    expect(page.locator("#numbers")).to_have_value("77001\n77002")
    russian.complaints = [one for one in russian.complaints if not re.search(r"status of 403", one)]


def test_file_is_downloaded_from_the_page_that_was_there(russian: Window, forget: Callable[[], None]) -> None:
    page = russian.page
    page.goto("/audit/?employee=&terminal=")
    forget()
    button = page.get_by_role("button", name="CSV")
    button.click()
    confirm(page)

    expect(page.locator("main .note-warn")).to_contain_text("Ещё ничего не выгружено")
    assert page.url.endswith("/audit/?employee=&terminal=")
    with page.expect_download() as download:
        button.click()
    assert download.value.suggested_filename.startswith("audit-")
    russian.complaints = [one for one in russian.complaints if not re.search(r"status of 403", one)]
