"""What axe says of a page that has come to rest."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# Halfway through a transition a colour is neither the one before nor the one after, and has another contrast.
AT_REST = "Promise.allSettled(document.getAnimations().map(one => one.finished))"


def violations(page: Page) -> list[str]:
    """What axe finds on the page as it is now, once it is loaded and nothing moves on it."""
    page.wait_for_load_state("load")
    page.evaluate(AT_REST)
    results = Axe().run(page)
    return [f"{one['id']}: {node['html'][:200]}" for one in results.response["violations"] for node in one["nodes"]]
