"""Cards on a terminal, each of one person there.

What the vendor allows: Record, Modify, SetUp, Search, Count and Delete under /ISAPI/AccessControl/CardInfo, one card a
call (ISAPI guide, "Card management"). SetUp may give a card to somebody else without a word, and Delete without a list
removes the cards of all people: nothing here says either. How a card becomes a number is set in CardVerificationRule,
and a change of it reads all cards again: it is read alone here.
"""

import re
from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import Json, checked, confirmed, counted, member, to_json
from hikflask.isapi.codec import number_in as text_in
from hikflask.isapi.errors import Nonsense, NotSupported, PersonUnknown
from hikflask.isapi.paging import PAGE, Page, every_row, page
from hikflask.isapi.persons import BASE, JSON_TYPE, new_search, valid_number

RECORD = f"{BASE}/CardInfo/Record?format=json"
SEARCH = f"{BASE}/CardInfo/Search?format=json"
DELETE = f"{BASE}/CardInfo/Delete?format=json"
COUNT = f"{BASE}/CardInfo/Count?format=json"
CAPABILITIES = f"{BASE}/CardInfo/capabilities?format=json"
RULE = f"{BASE}/CardVerificationRule?format=json"
# Hexadecimal digits at most terminals, decimal ones at others; some have more than the guide's 20.
CARD_NUMBER = re.compile(r"[A-Za-z0-9]{1,32}\Z")
# Of numberPerPerson (ISAPI guide, "JSON_Cap_CardInfo"): what stands for no limit, and what holds where it is not sent.
NO_LIMIT, DEFAULT_PER_PERSON = 255, 5
LENGTH_MODE = re.compile(r"\w{1,32}\Z", re.ASCII)


@dataclass(frozen=True)
class CardLimits:
    """What the terminal tells about its cards.

    `cards` is how many it holds, `per_person` how many one person may have (None: any number), `min_length` and
    `max_length` are those of a card number, and `functions` the listed calls in lower case, such as post and setup.
    What it does not tell is None or empty.
    """

    cards: int | None = None
    per_person: int | None = DEFAULT_PER_PERSON
    min_length: int | None = None
    max_length: int | None = None
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class VerificationRule:
    """How the terminal makes a number of a card. What it does not tell is empty or None.

    `length_mode` is its cardNoLenMode, such as full or 3Bytes; `is_reversed`: the bytes count in reverse order.
    """

    length_mode: str = ""
    is_reversed: bool | None = None


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


def capabilities(client: Requester) -> CardLimits:
    """Return the limits for cards. :raises TerminalError:"""
    words = member(checked(client.request("GET", CAPABILITIES)), "CardInfo")
    per_person, length = counted(words.get("numberPerPerson")), words.get("cardNo")
    if per_person is None:
        per_person = DEFAULT_PER_PERSON
    length = length if isinstance(length, dict) else {}
    return CardLimits(
        cards=counted(words.get("maxRecordNum")),
        per_person=None if per_person == NO_LIMIT else per_person,
        min_length=counted(length.get("@min")),
        max_length=counted(length.get("@max")),
        functions=_functions(words.get("supportFunction")),
    )


def _functions(value: object) -> frozenset[str]:
    """Return the names in `{"@opt": "post,delete"}`, in lower case. Some lists come without it, or as a JSON list."""
    listed = value.get("@opt") if isinstance(value, dict) else value
    names = listed.split(",") if isinstance(listed, str) else listed if isinstance(listed, list) else []
    return frozenset(str(name).strip().lower() for name in names) - {""}


def verification_rule(client: Requester) -> VerificationRule:
    """Return how the terminal makes a number of a card. :raises TerminalError:"""
    words = member(checked(client.request("GET", RULE)), "CardVerificationRule")
    mode, is_reversed = text_in(words, "cardNoLenMode"), words.get("reverseCardNoEnabled")
    return VerificationRule(
        mode if LENGTH_MODE.match(mode) else "", is_reversed if isinstance(is_reversed, bool) else None
    )


def count(client: Requester) -> int:
    """Return how many cards are on the terminal. :raises TerminalError:"""
    answer = checked(client.request("GET", COUNT))
    cards = counted(member(answer, "CardInfoCount").get("cardNumber"))
    if cards is None:
        raise Nonsense(message="no cardNumber", path=answer.path, http_status=answer.status)
    return cards


def add(client: Requester, card: TerminalCard) -> None:
    """Give a card to a person who exists on the terminal. One that somebody has already is refused.

    This does not prove whose it is: call `of_person` afterwards.
    :raises CardTaken: :raises CardsFull: :raises IllegalCard: :raises PersonUnknown: :raises TerminalError:
    :raises ValueError: for a bad number.
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
    cards = _search(client, {"EmployeeNoList": [{"employeeNo": valid_number(number)}]})
    return [card for card in cards if card.owner == number]


def owner_of(client: Requester, card_number: str) -> TerminalCard | None:
    """Return the card with this number, letter by letter, and with it whose it is; None when nobody has it.

    Some firmware knows no search by the number and lists all cards, so the number of each is compared.
    :raises TerminalError: :raises Nonsense: when the list may be incomplete, a row has no number, or the card is there
    twice, under different people. :raises ValueError: for a bad number.
    """
    cards = _search(client, {"CardNoList": [{"cardNo": valid_card_number(card_number)}]})
    by_owner = {card.owner: card for card in cards if card.number == card_number}
    if len(by_owner) > 1:
        raise Nonsense(message="several people have this card", path=SEARCH.partition("?")[0])
    return next(iter(by_owner.values()), None)


def _search(client: Requester, wanted: Json) -> list[TerminalCard]:
    """Return all cards that the terminal lists when it is asked for those in the list `wanted`."""
    search_id = new_search()

    def ask(position: int) -> Page:
        condition = {"searchID": search_id, "searchResultPosition": position, "maxResults": PAGE}
        body = to_json({"CardInfoSearchCond": {**condition, **wanted}})
        answer = checked(client.request("POST", SEARCH, data=body, content_type=JSON_TYPE))
        return page(answer, member(answer, "CardInfoSearch"), "CardInfo", "cardNo")

    return [_card(number, row) for number, row in every_row(ask)]


def _card(number: str, row: Json) -> TerminalCard:
    kind, leader_doors = text_in(row, "cardType"), text_in(row, "leaderCard")
    return TerminalCard(number, text_in(row, "employeeNo"), kind or TerminalCard.kind, leader_doors)


def remove(client: Requester, number: str) -> None:
    """Remove one card, whoever has it. A number that nobody has is no error.

    Firmware that ignores a list of cards in a search (a KV6124 knows none) may ignore it here, too, and remove the
    cards of all people: so it is searched for first, and nothing is sent where others are listed.
    This does not prove that the card is gone: call `of_person` afterwards.
    :raises NotSupported: when others are listed. :raises TerminalError: :raises ValueError: for a bad number (an empty
    list would remove the cards of all people).
    """
    card_nos = {"CardNoList": [{"cardNo": valid_card_number(number)}]}
    listed = {card.number for card in _search(client, card_nos)}
    if listed - {number}:
        raise NotSupported(message="CardNoList is ignored", path=DELETE.partition("?")[0])
    if not listed:
        return
    try:
        body = to_json({"CardInfoDelCond": card_nos})
        confirmed(client.request("PUT", DELETE, data=body, content_type=JSON_TYPE))
    except PersonUnknown:
        return  # Nobody has it.
