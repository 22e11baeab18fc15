"""The forms of a page as a browser would send them: what tests press instead of building requests by hand."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

# A browser sends these only when they are ticked.
TICKED = {"checkbox", "radio"}


@dataclass
class Filled:
    """A form: where it goes, and the fields that are filled in; secrets are always empty."""

    action: str
    fields: MultiDict[str, str] = field(default_factory=MultiDict)

    def send(self, client: FlaskClient, headers: dict[str, str] | None = None, /, **changed: str) -> TestResponse:
        """Type something and press the button."""
        data = self.fields.copy()
        for name, value in changed.items():
            data[name] = value
        return client.post(self.action, data=data, headers=headers)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Filled] = []
        self._open: Filled | None = None
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        name = known.get("name", "")
        if tag == "form":
            self._open = Filled(known.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        if tag == "input" and name and (known.get("type") not in TICKED or "checked" in known):
            self._open.fields.add(name, known.get("value", ""))
        if tag == "select":
            self._select = name
        if tag == "option" and "selected" in known:
            self._open.fields.add(self._select, known.get("value", ""))
        if tag == "textarea":
            self._area = name
            self._open.fields.add(name, "")

    def handle_data(self, data: str) -> None:
        if self._area and self._open is not None:
            # HTML takes no notice of a line's end at the beginning.
            self._open.fields[self._area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "textarea":
            self._area = ""


def forms(page: str) -> list[Filled]:
    """The forms in the content of a page, or in a part of one."""
    reader = _Reader()
    reader.feed(page.partition("<main")[2] or page)
    return reader.forms


def words(answer: TestResponse) -> str:
    """The content of a page as one reads it, without the marks that keep words of two directions apart."""
    plain = re.sub(r"<[^>]+>", " ", answer.text.partition('id="main"')[2])
    return " ".join(re.sub("[\u2068\u2069]", "", plain).split())


def present_entries(page: str) -> list[str]:
    """The addresses in the bar that are marked as the page one is on."""
    bar = page.partition("<main")[0]
    return re.findall(r'<a[^>]* href="([^"]*)" aria-current="page"', bar)


def digest_of(page: str, name: str = "shown") -> str:
    """The digest of what a page shows before its button is pressed."""
    (found,) = re.findall(rf'name="{name}" value="([0-9a-f]{{64}})"', page)
    return str(found)


def form_to(page: str, action: str) -> Filled:
    """The only form of a page that goes to an address."""
    (found,) = [one for one in forms(page) if one.action == action]
    return found
