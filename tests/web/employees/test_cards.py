"""Cards on the page of an employee: given, asked about, taken away, lost, and said until each terminal knows."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.desk import ENGLISH
from tests.support.enrolments import employee_of, enrol
from tests.support.filled_forms import form_to
from tests.support.signed_in import client_of

PAGE = "/employees/1"


@pytest.fixture
def ivan(app: Flask, simulator: Simulated, terminal: Terminal) -> int:
    """The id of an employee who is on the terminal."""
    with app.app_context():
        return employee_of(enrol(simulator, terminal))


def shown(client: FlaskClient) -> str:
    return client.get(PAGE, headers=ENGLISH).text


def words(page: str) -> str:
    """What the list of cards says."""
    _, _, there = page.partition('id="cards-there"')
    there = there.partition("</ul>")[0] if "</ul>" in there.partition('<form class="card-form')[0] else ""
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]*>|^[^<]*>", " ", there, flags=re.DOTALL).split())


def bring(app: Flask) -> None:
    with app.app_context():
        for enrolment in queries.of_number("100222"):
            reconcile(enrolment.id, "worker")


@pytest.mark.usefixtures("ivan")
def test_card_is_given_and_lost_in_one_click_each(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    answer = form_to(shown(client), f"{PAGE}/cards").send(client, ENGLISH, number=" 00aB12 ")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}#cards")
    page = shown(client)
    assert "Card 00aB12 is given. Each terminal confirms it below." in page
    assert "Not confirmed yet: Вход" in words(page)
    bring(app)
    assert words(shown(client)).endswith("confirmed Lost Take away")
    assert simulator.cards["00aB12"].employee_no == "100222"

    lost = form_to(shown(client), f"{PAGE}/cards/1/lost").send(client, ENGLISH)
    assert (lost.status_code, lost.location) == (303, f"{PAGE}#cards")
    page = shown(client)
    assert "Card 00aB12 is taken off the terminals. Until each has confirmed that, it is below." in page
    assert words(page) == "00aB12 May still open doors: Вход"
    assert "May still open doors: 1" in page
    removals = client.get("/removals/", headers=ENGLISH).text
    assert "The lost card 00aB12 may still open doors at “Вход”." in re.sub("[\u2066-\u2069]", "", removals)
    assert "None: every removal is confirmed</p>" not in removals
    bring(app)
    assert (words(shown(client)), simulator.cards) == ("", {})
    assert "May still open doors: 1" not in shown(client)
    assert "None: every removal is confirmed</p>" in client.get("/removals/", headers=ENGLISH).text


@pytest.mark.usefixtures("ivan")
def test_card_is_taken_away_once(client: FlaskClient) -> None:
    form_to(shown(client), f"{PAGE}/cards").send(client, number="7")
    taking = form_to(shown(client), f"{PAGE}/cards/1/lost")
    for _ in range(2):
        assert client.post(f"{PAGE}/cards/1/take-away", data=taking.fields, headers=ENGLISH).status_code == 303
    assert "There is no such card any more." in shown(client)


def test_card_that_may_be_somebody_elses_is_asked_about(app: Flask, client: FlaskClient, ivan: int) -> None:
    with app.app_context():
        anna = save_employee(Draft("5", "Анна Ким")).row.id
        registry.give(anna, "0012345")

    asked = form_to(shown(client), f"{PAGE}/cards").send(client, ENGLISH, number="12345")
    assert asked.status_code == 409
    assert (
        "Card 0012345 is Анна Ким&#39;s, ID 5, and may be the same card told by another reader. "
        "To give it all the same, press again."
    ) in asked.text
    again = form_to(asked.text, f"{PAGE}/cards")
    assert again.fields["number"] == "12345"
    assert again.send(client, ENGLISH, number="012345").status_code == 409
    assert form_to(asked.text, f"{PAGE}/cards").send(client, ENGLISH).status_code == 303
    with app.app_context():
        assert [card.number for card in registry.of_employee(ivan)] == ["12345"]


@pytest.mark.usefixtures("ivan")
def test_wrong_and_taken_cards_are_said_beside_the_field_and_stay_typed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        registry.give(save_employee(Draft("5", "Анна Ким")).row.id, "7A")
    for typed, status, sentence in (
        ("", 422, "A card's number has 1 to 32 Latin letters and digits, as the terminal shows it."),
        ("7;8", 422, "A card's number has 1 to 32 Latin letters and digits, as the terminal shows it."),
        ("7A", 409, "Card 7A is Анна Ким's, ID 5. Take it away there first."),
    ):
        refused = form_to(shown(client), f"{PAGE}/cards").send(client, ENGLISH, number=typed)
        said = re.sub("[\u2066-\u2069]", "", unescape(refused.text))
        assert (refused.status_code, sentence in said) == (status, True)
        assert form_to(refused.text, f"{PAGE}/cards").fields["number"] == typed


@pytest.mark.usefixtures("ivan")
def test_polled_part_brings_the_cards_along(client: FlaskClient) -> None:
    form_to(shown(client), f"{PAGE}/cards").send(client, number="7")
    assert '<div id="cards-there" hx-swap-oob="true">' in client.get(f"{PAGE}/enrolments").text


@pytest.mark.usefixtures("ivan")
def test_viewer_sees_cards_alone_and_an_operator_gives_them(app: Flask, client: FlaskClient) -> None:
    viewer = client_of(app, VIEWER)
    assert 'id="cards"' not in viewer.get(PAGE).text
    form_to(shown(client), f"{PAGE}/cards").send(client, number="7")
    page = viewer.get(PAGE).text
    assert ("<bdi>7</bdi>" in page, "/cards" in page) == (True, False)
    operator = client_of(app, OPERATOR, "Ольга")
    assert form_to(operator.get(PAGE).text, f"{PAGE}/cards").send(operator, number="8").status_code == 303
