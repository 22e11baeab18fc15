"""CardInfo: adding, changing, finding, counting and removing the cards of persons.

The limits in `CardInfo/capabilities` hold, but for what a leader's card may be. The words of the refusals, and which
limit has which, are what clients read: no recording has them.
"""

import json
import re

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, numbers
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.isapi.pagination import search_result
from hikflask.simulator.terminal.person_store import Card
from hikflask.simulator.terminal.terminal import Terminal

TYPES = ("normalCard", "patrolCard", "hijackCard", "superCard")


def capabilities(terminal: Terminal) -> Response:
    """The recorded capabilities with the limits of the profile."""
    profile = terminal.profile
    answer = json.loads(recordings.body("18_GET_AccessControl_CardInfo_capabilities.response.json"))
    info, length = answer["CardInfo"], dict(zip(("@min", "@max"), profile.card_length, strict=True))
    info |= {"cardNo": length, "maxRecordNum": profile.card_capacity, "numberPerPerson": profile.cards_per_person}
    if profile.cards_per_person is None:
        del info["numberPerPerson"]
    for condition in ("CardInfoSearchCond", "CardInfoDelCond"):
        if profile.finds_by_card:
            info[condition]["CardNoList"]["cardNo"] = length
        else:
            del info[condition]["CardNoList"]
    return json_reply(answer)


def verification_rule(terminal: Terminal) -> Response:  # noqa: ARG001
    """The whole number of a card counts, in the order of its bytes."""
    return json_reply({"CardVerificationRule": {"cardNoLenMode": "full", "reverseCardNoEnabled": False}})


def record(terminal: Terminal) -> Response:
    """Add a card to a person."""
    number, fields = _card_info(terminal)
    if number in terminal.cards:
        raise Refusal("cardNoAlreadyExist", "cardNo")
    terminal.store.save_card(number, fields)
    return done(as_json=True)


def modify(terminal: Terminal) -> Response:
    """Change the given fields of a card."""
    number, fields = _card_info(terminal)
    if number not in terminal.cards:
        raise Refusal("cardNoNotExist", "cardNo")
    terminal.store.save_card(number, fields)
    return done(as_json=True)


def set_up(terminal: Terminal) -> Response:
    """Add a card, or change the given fields of one that exists."""
    terminal.store.save_card(*_card_info(terminal))
    return done(as_json=True)


def _card_info(terminal: Terminal) -> tuple[str, Fields]:
    fields = child(json_object(), "CardInfo")
    number, (shortest, longest) = fields.get("cardNo"), terminal.profile.card_length
    if not isinstance(number, str):
        raise Refusal("badJsonContent", "CardInfo.cardNo")
    if not re.fullmatch(r"[A-Za-z0-9]*", number) or not shortest <= len(number) <= longest:
        raise Refusal("illegalCardNo", "cardNo")
    if fields.get("cardType", TYPES[0]) not in TYPES:
        raise Refusal("badJsonContent", "CardInfo.cardType")
    return number, fields


def delete(terminal: Terminal) -> Response:
    """Remove cards by number or owner. As on real terminals, a body without either removes EVERY card."""
    terminal.store.remove_cards(*_lists(child(json_object(), "CardInfoDelCond")))
    return done(as_json=True)


def search(terminal: Terminal) -> Response:
    """One page of cards in the order they were added. Some firmware knows no CardNoList, and lists all cards."""
    condition = child(json_object(), "CardInfoSearchCond")
    card_nos, owners = _lists(condition)
    if not terminal.profile.finds_by_card:
        card_nos = None
    hits = [card.number for card in terminal.cards.values() if card.is_of(card_nos, owners)]
    result = search_result(terminal.profile, hits, condition, "CardInfo", lambda number: _row(terminal.cards[number]))
    return json_reply({"CardInfoSearch": {"searchID": str(condition.get("searchID", "")), **result}})


def _row(card: Card) -> Fields:
    return {
        "employeeNo": card.employee_no,
        "cardNo": card.number,
        "leaderCard": card.leader_card,
        "cardType": card.kind,
    }


def _lists(condition: Fields) -> tuple[list[str] | None, list[str] | None]:
    return numbers(condition, "CardNoList", "cardNo"), numbers(condition, "EmployeeNoList", "employeeNo")


def count(terminal: Terminal) -> Response:
    """Count all cards, or those of the person whose employeeNo is in the query."""
    owner = request.args.get("employeeNo")
    hits = [card for card in terminal.cards.values() if owner in (None, card.employee_no)]
    return json_reply({"CardInfoCount": {"cardNumber": len(hits)}})
