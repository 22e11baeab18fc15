"""What axe says of a page that has come to rest."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import LOOKS

# Halfway through a transition a colour is neither the one before nor the one after, and has another contrast.
# The moment in which a new button cannot be pressed changes nothing that is seen.
AT_REST = """Promise.allSettled(
  document.getAnimations().filter(one => one.animationName !== "not-yet").map(one => one.finished))"""

# Nothing is loaded in advance: that is for films and sounds, and for a rule that is off.
FOUND = """part => axe.run(part, {resultTypes: ["violations"], preload: false}).then((result) =>
  result.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)}`)))"""


def give_axe(context: BrowserContext) -> None:
    """Let each page have axe from its beginning: that is quicker than to bring it to one that is there."""
    context.add_init_script(AXE_SCRIPT)


def violations(page: Page, part: str = "html") -> list[str]:
    """What axe finds on the page, or a part of it, as it is now, once it is loaded and nothing moves on it."""
    page.wait_for_load_state("load")
    page.evaluate(AT_REST)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(FOUND, part)
    return found


def wrong_in_each_look(page: Page) -> list[str]:
    """What is wrong with the page in each look: what axe finds, or that it is wider than the window."""
    found = []
    for look, (scheme, width) in LOOKS.items():
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{look}: {one}" for one in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth > document.body.clientWidth"):
            found.append(f"{look}: wider than the window")
    return found
