"""The page of the API's calls in the browser: under our policy, from this server alone, and a call is made on it.

axe finds nothing in what Swagger UI draws: opened, tried, and in its dialog.
"""

from playwright.sync_api import expect

from hikflask.models.accounts import VIEWER
from tests.browser.axe import give_axe, violations, wrong_in_each_look
from tests.browser.conftest import Site, Window
from tests.support.signed_in import make_token


def test_call_is_found_and_tried_with_a_token_and_nothing_comes_from_elsewhere(russian: Window, site: Site) -> None:
    page, asked = russian.page, []
    page.on("request", lambda request: asked.append(request.url))
    give_axe(russian.context)
    page.goto("/administration")

    page.get_by_role("link", name="Справочник API").click()
    expect(page.get_by_role("heading", name="Справочник API")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()
    assert violations(page, ".dialog-ux") == []
    page.get_by_label("auth-bearer-value").fill(make_token(site.app, VIEWER))
    page.get_by_role("button", name="Apply credentials").last.click()
    page.get_by_role("button", name="Close").last.click()
    page.locator("#operations-groups-list_groups").get_by_role("button").first.click()
    page.locator("#operations-devices-list_devices").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").first.click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table")).to_contain_text("200")
    expect(page.locator(".live-responses-table")).to_contain_text('"name": "Вход"')
    assert wrong_in_each_look(page) == []
    assert any(url.endswith("/api/devices/") for url in asked)
    assert all(url.startswith((site.url, "data:")) for url in asked)
