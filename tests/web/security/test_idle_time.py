"""Polling does not keep a session open: the idle time goes on."""

import re
from pathlib import Path

from flask import Flask

from hikflask.extensions import db
from hikflask.http.permissions import rule_of
from hikflask.models import OperatorSession
from hikflask.models.columns import database_now
from tests.http.permissions_table import API, BY_ITSELF
from tests.http.test_permissions import addresses, ask
from tests.support.signed_in import client_of

TEMPLATES = Path(__file__).parents[3] / "hikflask" / "templates"
# Of a tag that asks again and again: the view that it asks.
ASKED = re.compile(r"hx-get=\"\{\{ url_for\('([\w.]+)'[^<]*?hx-trigger=\"every ")


def endpoints(app: Flask) -> dict[str, str]:
    """Each method and rule → its view."""
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_what_does_not_count_stands_in_the_table_and_nothing_else(app: Flask) -> None:
    known = endpoints(app)
    with app.app_context():
        rules = {entry: rule_of(known[entry]) for entry in addresses(app) if entry not in API}

    assert {entry for entry, rule in rules.items() if rule and not rule.is_activity} == BY_ITSELF


def test_what_a_template_asks_again_and_again_stands_in_the_table(app: Flask) -> None:
    texts = [path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")]
    # The progress of a capture asks for the address that it was asked by.
    polled = ["captures.show", *(endpoint for text in texts for endpoint in ASKED.findall(text))]
    known = endpoints(app)

    assert len(polled) == sum(text.count('hx-trigger="every ') for text in texts) > 1
    assert set(polled) <= {known[entry] for entry in BY_ITSELF}


def test_it_does_not_move_the_limit(app: Flask) -> None:
    client, seen = client_of(app), db.select(OperatorSession.seen_at)
    for entry in sorted(BY_ITSELF):
        with app.app_context():
            db.session.execute(db.update(OperatorSession).values(seen_at=database_now(-7000.0)))
            db.session.commit()
            before = db.session.execute(seen).scalar_one()

        ask(client, entry)

        with app.app_context():
            assert db.session.execute(seen).scalar_one() == before
