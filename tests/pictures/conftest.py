"""The browser that draws the pictures of the guides."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

from tests.browser import conftest as browsers

FONTS = Path(__file__).with_name("fonts.conf")
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

playwright = browsers.playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with one font."""
    if not FONT.exists():
        assert os.environ.get("CI") != "true", f"{FONT} is missing"
        pytest.skip(f"{FONT} is missing: apt install fonts-dejavu-core")
    browser = playwright.chromium.launch(
        executable_path=str(browsers.SHELL), args=browsers.FLAGS, env={**os.environ, "FONTCONFIG_FILE": str(FONTS)}
    )
    yield browser
    browser.close()
