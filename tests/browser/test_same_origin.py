"""Forms over plain http on a network, where a browser says no more of a page than its origin."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.conftest import Site
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, let_in


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page, which calls this machine by names: no address that a browser would trust over http."""
    let_in(site.folder)  # Somebody may sign in.
    page = browser.new_page(locale="en-US")
    yield page
    page.close()


def address(site: Site, path: str) -> str:
    return f"http://desk.test:{urlsplit(site.url).port}{path}"


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill(OPERATOR_NAME)
    page.get_by_label("Password").fill(OPERATOR_PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_own_forms_are_taken(page: Page, site: Site) -> None:
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if request.method == "POST" else None)

    page.goto(address(site, "/employees/new"))
    sign_in(page)
    page.get_by_label("Employee ID").fill("E777")
    page.get_by_label("Full name").fill("Anna Smith")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save without a photo").click()

    expect(page.get_by_role("heading", name="Anna Smith")).to_be_visible()
    assert {urlsplit(post.url).path for post in posts} >= {"/sign-in", "/employees/"}
    sent = [post.all_headers() for post in posts]
    assert all("sec-fetch-site" not in headers for headers in sent)
    # The browser tells the headers of a request late, and of one that was cut off by the next page not all.
    assert {headers["origin"] for headers in sent if "origin" in headers} == {address(site, "")}


def test_form_of_another_site_is_refused_and_signs_nobody_out(page: Page, site: Site) -> None:
    page.goto(address(site, "/employees/"))
    sign_in(page)
    expect(page.get_by_role("link", name="Add employee").first).to_be_visible()
    form = f'<form method="post" action="{address(site, "/terminals/1")}"><button>Win</button></form>'

    def evil(route: Route) -> None:
        route.fulfill(body=form, content_type="text/html")

    page.route("http://evil.test/*", evil)
    page.goto("http://evil.test/")
    page.get_by_role("button", name="Win").click()

    expect(page.get_by_text("This came from a page of another site")).to_be_visible()
    page.goto(address(site, "/employees/"))
    expect(page.get_by_role("link", name="Add employee").first).to_be_visible()
