"""Choosing what is done about differences, and leaving some as they are, with who, why and when."""

import re

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import IgnoredDifference
from tests.support.compared import PAGE, ComparisonDesk, add_strangers
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to

CHANGED = "This has changed since it was shown. Nothing is done: check it again."


@pytest.fixture
def strangers(at: ComparisonDesk) -> ComparisonDesk:
    """A terminal that was compared, with three people who are not known here."""
    add_strangers(at.simulator, "7", "8", "9")
    at.compare()
    return at


def test_nothing_is_chosen_by_itself(strangers: ComparisonDesk) -> None:
    page = strangers.english()

    assert "Will be" not in page
    assert "Show the plan" not in page


def test_row_and_all_of_a_kind_are_chosen_and_taken_back(strangers: ComparisonDesk) -> None:
    strangers.choose("only_there", "take_over")
    strangers.choose("only_there", "remove", "8")
    page = strangers.english()
    assert (page.count("Will be taken from the terminal"), page.count("Will be removed from the terminal")) == (2, 1)
    assert "To be taken from the terminal: 2 people." in page
    assert "To be removed from the terminal: 1 person." in page

    strangers.choose("only_there", "nothing", "7")
    assert "To be taken from the terminal: 1 person." in strangers.english()
    assert strangers.client.post(f"{PAGE}/plan/discard").location == PAGE
    assert "Will be" not in strangers.english()


def test_choice_may_lead_on_to_the_plan_and_nowhere_else(strangers: ComparisonDesk) -> None:
    chosen = {"kind": "only_there", "all": "1", "action": "take_over"}

    answers = [
        strangers.client.post(f"{PAGE}/choose", data={**chosen, "next": place}).location
        for place in (f"{PAGE}/plan", "//evil.test")
    ]

    assert answers == [f"{PAGE}/plan", f"{PAGE}?kind=only_there"]


def test_nobody_ticked_is_said(strangers: ComparisonDesk) -> None:
    for path, action in (("choose", "remove"), ("leave", "leave")):
        data = {"kind": "only_there", "action": action, "comparison": "1"}
        strangers.client.post(f"{PAGE}/{path}", data=data, headers=ENGLISH)

        assert "Nobody is selected. Tick the rows first." in strangers.english()


@pytest.mark.parametrize("wrong", [{"kind": "names"}, {"action": "open"}, {"action": "send"}])
def test_what_no_button_sends_is_refused(strangers: ComparisonDesk, wrong: dict[str, str]) -> None:
    data = {"kind": "only_there", "action": "remove", "all": "1", **wrong}

    assert strangers.client.post(f"{PAGE}/choose", data=data).status_code == 422


def test_leaving_asks_why_and_shows_who_why_and_when_until_it_is_taken_back(
    app: Flask, strangers: ComparisonDesk
) -> None:
    strangers.choose("only_there", "take_over", "7")
    sent = {"kind": "only_there", "action": "leave", "number": ["7", "8"], "comparison": "1"}
    asked = strangers.client.post(f"{PAGE}/leave", data=sent, headers=ENGLISH)
    form = form_to(asked.text, f"{PAGE}/leave")
    refused = form.send(strangers.client, ENGLISH, reason=" ")
    assert (asked.status_code, refused.status_code) == (200, 422)
    assert "“Why” must not be empty." in refused.text
    again = form_to(refused.text, f"{PAGE}/leave")
    assert again.fields.getlist("number") == ["7", "8"]

    again.send(strangers.client, ENGLISH, reason="Карты ведёт охрана")

    page = strangers.english(f"{PAGE}?kind=only_there")
    assert "Left as they are: 2 people." in page
    assert 'value="9"' in page
    assert 'value="7"' not in page
    assert "Show the plan" not in page
    left = strangers.english(f"{PAGE}?kind=left")
    assert left.count("Карты ведёт охрана") == 2
    assert re.search(r"<bdi>Анна</bdi> <time [^>]+>just now</time>", left)
    assert "<bdi>Гость 7</bdi>" in left
    strangers.client.post(f"{PAGE}/take-back", data={"kind": "only_there", "number": "7"})
    assert 'value="7"' in strangers.english(f"{PAGE}?kind=only_there")
    with app.app_context():
        assert db.session.execute(db.select(IgnoredDifference.number)).scalars().all() == ["8"]


def test_all_of_a_kind_are_left(app: Flask, strangers: ComparisonDesk) -> None:
    data = {"kind": "only_there", "action": "leave", "all": "1", "reason": "Гости", "comparison": "1"}

    strangers.client.post(f"{PAGE}/leave", data=data)

    assert "Nothing differs: the terminal has exactly who should be there." not in strangers.english()
    with app.app_context():
        assert db.session.execute(db.select(IgnoredDifference.number)).scalars().all() == ["7", "8", "9"]


def test_only_what_the_page_showed_is_left(app: Flask, strangers: ComparisonDesk) -> None:
    assert '<input type="hidden" name="comparison" value="1">' in strangers.english(f"{PAGE}?kind=only_there")
    add_strangers(strangers.simulator, "10")
    strangers.compare()

    data = {"kind": "only_there", "comparison": "1", "all": "1", "reason": "Гости"}
    answer = strangers.client.post(f"{PAGE}/leave", data=data, headers=ENGLISH)

    assert CHANGED in strangers.client.get(str(answer.location), headers=ENGLISH).text
    with app.app_context():
        assert db.session.execute(db.select(IgnoredDifference.number)).all() == []


def test_terminal_that_was_not_compared_has_nothing_to_choose(at: ComparisonDesk) -> None:
    for path in ("choose", "leave", "plan", "plan/remove", "plan/answer", "plan/discard"):
        assert at.client.post(f"{PAGE}/{path}", data={"kind": "name", "all": "1"}).status_code == 404
