"""CardInfo: the cards of the persons who are there.

Of the limits in `CardInfo/capabilities` only the length of a number and the types are kept.
"""

from __future__ import annotations

import re

from flask import Response, request

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, numbers
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.isapi.pagination import page_of, told
from hikflask.simulator.terminal.person_store import Card
from hikflask.simulator.terminal.terminal import Terminal

TYPES = ("normalCard", "patrolCard", "hijackCard", "superCard")
_NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")


def record(terminal: Terminal) -> Response:
    """A new card of a person who is there."""
    number, fields = _sent()
    if number in terminal.cards:
        raise Refusal("cardNoAlreadyExist", "cardNo")
    terminal.store.save_card(number, fields)
    return done(as_json=True)


def modify(terminal: Terminal) -> Response:
    """The given fields of a card that is there."""
    number, fields = _sent()
    if number not in terminal.cards:
        raise Refusal("cardNoNotExist", "cardNo")
    terminal.store.save_card(number, fields)
    return done(as_json=True)


def set_up(terminal: Terminal) -> Response:
    """A new card, or the given fields of one that is there."""
    terminal.store.save_card(*_sent())
    return done(as_json=True)


def _sent() -> tuple[str, Fields]:
    fields = child(json_object(), "CardInfo")
    number = fields.get("cardNo")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise Refusal("badJsonContent", "CardInfo.cardNo")
    if fields.get("cardType", TYPES[0]) not in TYPES:
        raise Refusal("badJsonContent", "CardInfo.cardType")
    return number, fields


def delete(terminal: Terminal) -> Response:
    """Take cards off by number or owner; as on the real ones a body without either takes off every card."""
    wish = child(json_object(), "CardInfoDelCond")
    terminal.store.remove_cards(*_lists(wish))
    return done(as_json=True)


def search(terminal: Terminal) -> Response:
    """One page of cards in the order they were added."""
    wish = child(json_object(), "CardInfoSearchCond")
    card_nos, owners = _lists(wish)
    hits = [card.number for card in terminal.cards.values() if card.is_of(card_nos, owners)]
    page = page_of(hits, wish)
    answer: Fields = {"searchID": str(wish.get("searchID", ""))} | told(terminal.profile, hits, page, wish)
    if page:
        answer["CardInfo"] = [_shown(terminal.cards[number]) for number in page]
    return json_reply({"CardInfoSearch": answer})


def _lists(wish: Fields) -> tuple[list[str] | None, list[str] | None]:
    return numbers(wish, "CardNoList", "cardNo"), numbers(wish, "EmployeeNoList", "employeeNo")


def _shown(card: Card) -> Fields:
    return {
        "employeeNo": card.employee_no,
        "cardNo": card.number,
        "leaderCard": card.leader_card,
        "cardType": card.kind,
    }


def count(terminal: Terminal) -> Response:
    """How many cards there are, or how many a person has whose employeeNo the query names."""
    owner = request.args.get("employeeNo")
    hits = [card for card in terminal.cards.values() if owner in (None, card.employee_no)]
    return json_reply({"CardInfoCount": {"cardNumber": len(hits)}})
