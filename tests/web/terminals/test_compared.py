"""What a terminal's page says of its comparison and of what was noticed since, and the ways on from there."""

from flask import Flask

from hikflask.extensions import db
from hikflask.models.accounts import VIEWER
from hikflask.models.comparison import NAME, ONLY_THERE, Drift
from tests.support.compared import PAGE, ComparisonDesk, add_comparison, add_strangers
from tests.support.filled_forms import form_to, forms
from tests.support.signed_in import client_of

TERMINAL = "/terminals/1"


def take_people(at: ComparisonDesk) -> str:
    """Press the button that leads to taking people over, and return where it goes on."""
    (form,) = [one for one in forms(at.english(TERMINAL)) if "take_over" in one.fields or one.fields.get("next")]
    return form.send(at.client, action="take_over", take_over="1").location


def test_people_are_taken_over_from_a_terminal_that_was_never_compared(at: ComparisonDesk) -> None:
    add_strangers(at.simulator, "7", "8")
    assert "Not compared yet." in at.english(TERMINAL)

    place = at.client.post(PAGE, data={"take_over": "1"}).location
    assert place == f"{PAGE}?take_over=1"
    assert f"{PAGE}/state?take_over=1" in at.english(place)
    at.run_jobs()

    page = at.english(place)
    assert "On the terminal and not known from here: 2 people." in page
    assert 'id="take-all"' in page
    assert take_people(at) == f"{PAGE}/plan"
    plan = at.english(f"{PAGE}/plan")
    assert "To be taken from the terminal: 2 people." in plan
    form_to(plan, f"{PAGE}/plan").send(at.client)
    # The list is older than what was done by it, so it is read anew.
    assert 'id="take-people" name="take_over" value="1"' in at.english(TERMINAL)


def test_counts_by_kind_lead_to_their_rows(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        add_comparison(1, {NAME: ["1"]})

    page = at.english(TERMINAL)

    assert f'href="{PAGE}?kind=name">Name differs: 1</a>' in page
    assert "take-people" not in page
    assert "Only here" not in page


def test_what_was_noticed_is_told_to_those_who_enrol(app: Flask, at: ComparisonDesk) -> None:
    with app.app_context():
        add_comparison(1, {ONLY_THERE: ["7"]})
        db.session.add(Drift(terminal_id=1, kind="only_here", number="2", expected="Анна Петрова"))
        db.session.commit()

    assert "Not on the terminal any more: Анна Петрова, ID 2." in at.english(TERMINAL)
    assert "Анна Петрова" not in client_of(app, VIEWER, "Ольга").get(TERMINAL).text
