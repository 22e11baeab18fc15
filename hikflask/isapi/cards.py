"""Cards on a terminal, each of one person there.

What the vendor allows: Record, Modify, SetUp, Search, Count and Delete under /ISAPI/AccessControl/CardInfo, one card a
call (ISAPI guide, "Card management"). SetUp may give a card to somebody else without a word, and Delete without a list
removes the cards of all people: nothing here says either.
"""

import re
from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import Json, checked, confirmed, member, to_json
from hikflask.isapi.codec import number_in as text_in
from hikflask.isapi.errors import PersonUnknown
from hikflask.isapi.paging import PAGE, Page, every_row, page
from hikflask.isapi.persons import BASE, JSON_TYPE, new_search, valid_number

RECORD = f"{BASE}/CardInfo/Record?format=json"
SEARCH = f"{BASE}/CardInfo/Search?format=json"
DELETE = f"{BASE}/CardInfo/Delete?format=json"
# Hexadecimal digits at most terminals, decimal ones at others; some have more than the guide's 20.
CARD_NUMBER = re.compile(r"[A-Za-z0-9]{1,32}\Z")


@dataclass(frozen=True)
class TerminalCard:
    """A card as the terminal shows it: its number, letter by letter, and the employee number of whose it is.

    `kind` is its cardType, such as normalCard, and `leader_doors` the doors where it is a first card (leaderCard).
    """

    number: str
    owner: str
    kind: str = "normalCard"
    leader_doors: str = ""


def valid_card_number(number: str) -> str:
    """Return the number if the protocol allows it. :raises ValueError: otherwise, above all for an empty number."""
    if not isinstance(number, str) or not CARD_NUMBER.match(number):
        raise ValueError("a card number is 1 to 32 Latin letters and digits")
    return number


def add(client: Requester, card: TerminalCard) -> None:
    """Give a card to a person who exists on the terminal. One that somebody has already is refused.

    This does not prove whose it is: call `of_person` afterwards.
    :raises CardTaken: :raises PersonUnknown: :raises TerminalError: :raises ValueError: for a bad number.
    """
    info: Json = {
        "employeeNo": valid_number(card.owner),
        "cardNo": valid_card_number(card.number),
        "cardType": card.kind,
        **({"leaderCard": card.leader_doors} if card.leader_doors else {}),
    }
    confirmed(client.request("POST", RECORD, data=to_json({"CardInfo": info}), content_type=JSON_TYPE))


def of_person(client: Requester, number: str) -> list[TerminalCard]:
    """Return the cards of the person with this employee number, also when there is no such person any more.

    Some firmware ignores the number and lists all cards, so the owner of each is compared.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number.
    """
    found = _search(client, {"EmployeeNoList": [{"employeeNo": valid_number(number)}]})
    return [card for card in found if card.owner == number]


def owner_of(client: Requester, number: str) -> TerminalCard | None:
    """Return the card with this number and whose it is, or None when the terminal has none.

    Some firmware ignores the number and lists all cards, so each is compared, letter by letter.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number.
    """
    found = _search(client, {"CardNoList": [{"cardNo": valid_card_number(number)}]})
    return next((card for card in found if card.number == number), None)


def _search(client: Requester, words: Json) -> list[TerminalCard]:
    search_id = new_search()

    def ask(position: int) -> Page:
        condition = {"searchID": search_id, "searchResultPosition": position, "maxResults": PAGE, **words}
        body = to_json({"CardInfoSearchCond": condition})
        answer = checked(client.request("POST", SEARCH, data=body, content_type=JSON_TYPE))
        return page(answer, member(answer, "CardInfoSearch"), "CardInfo", "cardNo")

    return [_card(number, row) for number, row in every_row(ask)]


def _card(number: str, row: Json) -> TerminalCard:
    kind, leader_doors = text_in(row, "cardType"), text_in(row, "leaderCard")
    return TerminalCard(number, text_in(row, "employeeNo"), kind or TerminalCard.kind, leader_doors)


def remove(client: Requester, number: str) -> None:
    """Remove one card, whoever has it. An unknown number is no error.

    This does not prove that the card is gone: call `of_person` afterwards.
    :raises TerminalError: :raises ValueError: for a bad number (an empty list would remove the cards of all people).
    """
    body = to_json({"CardInfoDelCond": {"CardNoList": [{"cardNo": valid_card_number(number)}]}})
    try:
        confirmed(client.request("PUT", DELETE, data=body, content_type=JSON_TYPE))
    except PersonUnknown:
        return  # Nobody has it.
