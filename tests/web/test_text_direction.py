"""Names and terminals' texts cannot change the direction of the text beside them on a page."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ImportRow, Terminal
from hikflask.models.accounts import ADMIN
from hikflask.services.accounts import api_tokens, operators
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.terminals import registry
from hikflask.text_rules import CONTROLS, END, ISOLATE, TURNING
from tests.conftest import HOST
from tests.support.desk import Desk, typed
from tests.support.import_batches import LAYOUT, add_import
from tests.support.refusals import refusal
from tests.support.signed_in import OPERATOR_NAME, client_of

pytestmark = pytest.mark.long

TURNED = "Иван\u2069\u202eнавИ\u2067 עברית"
HEBREW = "עברית"
TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
ID = re.compile(r"<int:\w+>")
SHOWS_NAMES = [
    "/employees/", "/employees/1", "/employees/1/edit", "/employees/1/delete", "/employees/3", "/employees/1/consent",
    "/employees/1/consent/print", "/employees/1/erase", "/terminals/", "/terminals/1", "/terminals/1/delete",
    "/terminals/1/retire", "/operators/", "/operators/2", "/tokens/", "/removals/", "/erasures/", "/erasures/1",
    "/employees/new?capture=6", "/employees/4", "/employees/5", "/employees/6", "/imports/", "/imports/1",
    "/imports/2/columns",
]  # fmt: skip
FLASHED = "\u2068עברית"
# Each is a paragraph of its own, or not shown.
APART = {"option", "textarea", "script", "style"}


class Reader(HTMLParser):
    """Finds the letters of a page that could turn others round, and are in no isolate."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.isolated = 0
        self.loose: list[str] = []

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag in {"bdi", "title", *APART}:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not APART.isdisjoint(self._open):
            return
        depth = 0
        for letter in data:
            depth += (letter == ISOLATE) - (letter == END)
            isolated = depth > 0 or "bdi" in self._open
            # An isolate holds the letters, and ends where it shall as long as nothing in it says otherwise.
            wrong = letter not in {ISOLATE, END} or "bdi" in self._open or depth < 0
            if ord(letter) in CONTROLS and wrong:
                self.loose.append(data)
            elif unicodedata.bidirectional(letter) in TURNING:
                self.isolated += isolated
                self.loose += [] if isolated else [data]


@pytest.fixture
def turned(app: Flask, desk: Desk) -> Desk:
    """A desk at which everybody and everything has a name that goes from right to left, or turns what follows."""
    desk.client = client_of(app, ADMIN, HEBREW)
    both = {"full_name": TURNED, "department": TURNED}
    for number in ("1", "2"):
        desk.save(hikvision_id=number, **both)
    desk.simulator.store.add("3", {"name": f"{TURNED} another"})
    desk.save(hikvision_id="3", **both)
    for number, code in (("4", "odd"), ("5", "deviceBusy")):
        desk.simulator.faults.add("refuse", path="UserInfo/Record", argument=code, message=TURNED, times=1)
        desk.save(hikvision_id=number, take_over="1", **both)
    desk.client.post("/employees/1/consent", data={"given_on": "2025-01-01", "basis": "consent", "note": TURNED})
    with app.app_context():
        db.session.execute(db.update(Terminal).values(name=HEBREW, model=TURNED, firmware=TURNED))
        db.session.commit()
        imported = {"name": TURNED, "department": TURNED}
        add_import(
            ImportRow(number="9", verdict="new", values=imported),
            ImportRow(number="1", verdict="changed", values=imported, before={"name": HEBREW}, photo=f"{HEBREW}.jpg"),
            ImportRow(number="8", verdict="wrong", errors={"photo": refusal("photo_twice", others=HEBREW)}),
            table_name=f"{TURNED}.csv",
        )
        add_import(layout={**LAYOUT, "columns": [HEBREW, TURNED], "sample": [[TURNED, HEBREW]]}, fields={"number": 1})
    app.extensions["terminal_transport"].away.add(HOST)
    desk.client.post("/employees/1/active", data={"active": "0"})
    desk.client.post("/employees/2/erase")
    desk.run_jobs()
    desk.client.post("/employees/", data=typed(hikvision_id="6", **both))
    desk.client.post("/employees/6/terminals", data={"terminal_id": "1"})
    desk.client.post("/captures", data=typed(hikvision_id="7", take_over="1", **both))
    return desk


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def pages(app: Flask) -> set[str]:
    """The address of every page that needs no more than ids, with each id that there may be."""
    rules = [rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = {
        ID.sub(number, rule)
        for rule in rules
        if not rule.startswith("/api")
        for number in ("123456" if rule.startswith(("/employees", "/captures")) else "12")
    }
    return {path for path in paths if "<" not in path}


def test_no_page_lets_a_name_or_a_terminal_turn_what_stands_beside_it(app: Flask, turned: Desk) -> None:
    found = {path: read(turned.text(path)) for path in sorted(pages(app) | set(SHOWS_NAMES))}

    assert {path: reader.loose for path, reader in found.items() if reader.loose} == {}
    for path in SHOWS_NAMES:
        assert found[path].isolated, path


def test_no_answer_to_a_form_does_either(app: Flask, turned: Desk) -> None:
    client, administrator = turned.client, client_of(app)
    employee = {"full_name": TURNED, "department": TURNED}
    other = {"name": f"{HEBREW} 2", "role": "admin", "expires_on": TOMORROW}
    device = {"name": f"{HEBREW} 2", "url": "http://other.test", "username": "admin", "password": "x"}
    answers = [
        client.post("/employees/", data={**employee, "department": HEBREW, "hikvision_id": "1"}),
        client.post("/captures", data={**employee, "hikvision_id": "8"}),
        client.post("/removals/bulk", data={"numbers": "1 3"}),
        client.post("/employees/3/delete", follow_redirects=True),
        client.post("/operators/", data=other),
        client.post("/tokens/", data=other),
        administrator.post("/operators/2", data={"role": "viewer"}, follow_redirects=True),
        administrator.post("/tokens/3/revoke", follow_redirects=True),
        administrator.post("/terminals/", data=device, follow_redirects=True),
        administrator.post("/terminals/2/delete", follow_redirects=True),
        administrator.post("/terminals/1/check", follow_redirects=True),
    ]
    app.extensions["terminal_transport"].away.clear()
    answers.append(administrator.post("/terminals/1/check", follow_redirects=True))

    for answer in answers:
        reader = read(answer.text)
        assert (answer.status_code < 500, reader.loose, reader.isolated > 0) == (True, [], True), answer.request.path
    assert [FLASHED in answer.text for answer in answers].count(True) >= 5


MARKS = [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"]
CONTROL = "не должно быть управляющих символов"


def test_no_number_and_no_name_of_an_operator_a_token_or_a_terminal_has_such_a_mark(
    app: Flask, client: FlaskClient
) -> None:
    for mark in MARKS:
        name = f"Ан{mark}на"
        device = {"name": name, "url": "http://192.168.1.64", "username": "admin", "password": "x"}
        numbered = client.post("/employees/", data=typed(hikvision_id=f"1{mark}2"))
        named = [
            client.post("/operators/", data={"name": name, "role": "viewer"}),
            client.post("/tokens/", data={"name": name, "role": "viewer", "expires_on": TOMORROW}),
            client.post("/terminals/", data=device),
        ]
        called = [
            client.post("/api/users/", json={"hikvision_id": f"1{mark}2", "full_name": "Иван"}),
            client.post("/api/devices/", json=device),
        ]

        assert numbered.status_code == 422
        assert "Введите ID: латинские буквы и цифры, до 32 знаков." in numbered.text
        assert [(answer.status_code, CONTROL in answer.text) for answer in named] == [(422, True)] * 3
        assert [(answer.status_code, list(answer.get_json()["fields"])) for answer in called] == [
            (422, ["hikvision_id"]),
            (422, ["name"]),
        ]
    with app.app_context():
        assert [one.name for one in operators.list_all()] == [OPERATOR_NAME]
        assert [len(api_tokens.list_all()), search.search(EmployeeFilter(), 9, 0)[1], registry.list_all()] == [1, 0, []]
