"""A card at each simulated model: it is read, given, found by its number, refused to others, and removed."""

import pytest

from hikflask.isapi import card_capture, cards
from hikflask.isapi.cards import TerminalCard
from hikflask.isapi.client import Client
from hikflask.isapi.errors import CardsFull, CardTaken, CardTimeout, IllegalCard, NotSupported
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES
from tests.conftest import HOST, PASSWORD
from tests.support.wire import InProcess


@pytest.fixture(params=PROFILES)
def simulated(request: pytest.FixtureRequest) -> Simulated:
    """A terminal of each model with two people. One of them has a card that differs in its zeros alone."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=PROFILES[request.param])
    for number in ("1", "2"):
        simulated.store.add(number, {"name": "Иванов Иван"})
    simulated.store.save_card("AB12", {"employeeNo": "2"})
    return simulated


@pytest.fixture
def client(simulated: Simulated) -> Client:
    wire = InProcess()
    wire.put(HOST, simulated)
    return Client(f"http://{HOST}", "admin", PASSWORD, transport=wire)


def test_card_is_read_as_it_was_held_where_the_model_reads_cards(simulated: Simulated, client: Client) -> None:
    can_capture = simulated.profile.card_capture != "none"
    simulated.present_card("00AB12", when_asked=True)

    assert card_capture.can_capture(client) is can_capture
    if not can_capture:
        with pytest.raises(NotSupported):
            card_capture.capture(client, 20)
        return
    assert card_capture.capture(client, 20) == "00AB12"
    with pytest.raises(CardTimeout):
        card_capture.capture(client, 20)


def test_card_has_one_owner_who_is_found_by_its_number(simulated: Simulated, client: Client) -> None:
    card = TerminalCard("00AB12", "1")
    cards.add(client, card)

    with pytest.raises(CardTaken):
        cards.add(client, TerminalCard("00AB12", "2"))
    assert cards.owner_of(client, "00AB12") == card
    assert cards.owner_of(client, "0AB12") is None
    assert (cards.of_person(client, "1"), cards.count(client)) == ([card], 2)

    if not simulated.profile.finds_by_card:
        with pytest.raises(NotSupported):
            cards.remove(client, "00AB12")
        assert list(simulated.cards) == ["AB12", "00AB12"]
        return
    cards.remove(client, "00AB12")

    assert cards.owner_of(client, "00AB12") is None
    assert list(simulated.cards) == ["AB12"]


def test_limits_that_are_told_are_those_that_hold(client: Client) -> None:
    limits = cards.capabilities(client)

    cards.add(client, TerminalCard("1" * (limits.max_length or 0), "2"))
    if limits.max_length == 20:
        with pytest.raises(IllegalCard):
            cards.add(client, TerminalCard("1" * 21, "2"))
    for number in range(limits.per_person or 60):
        cards.add(client, TerminalCard(str(number), "1"))
    if limits.per_person:
        with pytest.raises(CardsFull):
            cards.add(client, TerminalCard("999", "1"))
