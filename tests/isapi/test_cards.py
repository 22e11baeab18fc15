"""Cards: given to a person, found by whose they are, taken away one by one."""

import json
from typing import Any

import pytest

from hikflask.isapi import cards, errors
from hikflask.isapi.cards import TerminalCard

from .helpers import Prepared, answer, refusal

CALLS = "/ISAPI/AccessControl/CardInfo"


def listed(*rows: dict[str, Any], total: int | None = None) -> bytes:
    words = {"responseStatusStrg": "OK" if rows else "NO MATCH", "totalMatches": len(rows) if total is None else total}
    return json.dumps({"CardInfoSearch": {"searchID": "1", **words, "CardInfo": list(rows)}}).encode()


def body(client: Prepared, index: int = 0) -> Any:
    return json.loads(client.sent[index].data or b"")


def test_a_card_is_given_as_it_is_written_letter_by_letter() -> None:
    client = Prepared(answer())
    cards.add(client, TerminalCard("00aB12", "5"))
    assert (client.sent[0].method, client.sent[0].path) == ("POST", f"{CALLS}/Record?format=json")
    assert body(client) == {"CardInfo": {"employeeNo": "5", "cardNo": "00aB12", "cardType": "normalCard"}}


def test_a_card_is_given_back_with_its_kind_and_its_doors() -> None:
    client = Prepared(answer())
    cards.add(client, TerminalCard("7", "5", "hijackCard", "1"))
    info = {"employeeNo": "5", "cardNo": "7", "cardType": "hijackCard", "leaderCard": "1"}
    assert body(client) == {"CardInfo": info}


def test_http_200_alone_gives_and_takes_no_card() -> None:
    with pytest.raises(errors.Nonsense):
        cards.add(Prepared(answer(b"<html/>")), TerminalCard("7", "5"))
    with pytest.raises(errors.Nonsense):
        cards.remove(Prepared(answer(b"<html/>")), "7")


def test_cards_of_others_in_a_list_that_ignores_the_number_are_left_out() -> None:
    rows = ({"employeeNo": 5, "cardNo": "007", "cardType": "hijackCard", "leaderCard": "1"},)
    page = listed({"employeeNo": "6", "cardNo": "9"}, *rows, {"cardNo": "8"})
    client = Prepared(answer(page), answer(listed(total=3)))
    assert cards.of_person(client, "5") == [TerminalCard("007", "5", "hijackCard", "1")]
    condition = body(client)["CardInfoSearchCond"]
    assert condition.pop("searchID")
    assert condition == {"searchResultPosition": 0, "maxResults": 30, "EmployeeNoList": [{"employeeNo": "5"}]}


def test_all_pages_of_a_list_are_read() -> None:
    first = [{"employeeNo": "5", "cardNo": str(number)} for number in range(30)]
    client = Prepared(
        answer(listed(*first, total=31).replace(b'"OK"', b'"MORE"')),
        answer(listed({"employeeNo": "5", "cardNo": "30"}, total=31)),
    )
    assert [card.number for card in cards.of_person(client, "5")] == [str(number) for number in range(31)]
    assert body(client, 1)["CardInfoSearchCond"]["searchResultPosition"] == 30


def test_nobody_has_a_card_only_when_the_list_says_so() -> None:
    assert cards.of_person(Prepared(answer(listed())), "5") == []
    for unclear in (b"{}", b'{"CardInfoSearch":{}}', listed({"employeeNo": "5"})):
        with pytest.raises(errors.Nonsense):
            cards.of_person(Prepared(answer(unclear)), "5")


def test_one_card_is_removed_by_a_list_of_its_number_alone() -> None:
    client = Prepared(answer())
    cards.remove(client, "00aB12")
    assert (client.sent[0].method, client.sent[0].path) == ("PUT", f"{CALLS}/Delete?format=json")
    assert body(client) == {"CardInfoDelCond": {"CardNoList": [{"cardNo": "00aB12"}]}}
    cards.remove(Prepared(refusal("employeeNoNotExist")), "7")


@pytest.mark.parametrize("number", ["", " ", "7 ", "7;8", "Ж", "7" * 33, None, 7])
def test_nothing_but_a_number_is_sent(number: Any) -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="number"):
        cards.remove(client, number)
    with pytest.raises(ValueError, match="number"):
        cards.add(client, TerminalCard(number, "5"))
    assert client.sent == []
