"""Cards: given to a person, found by whose they are and by their number, taken away one by one; the limits for them."""

import json
from typing import Any

import pytest

from hikflask.isapi import cards, errors
from hikflask.isapi.cards import CardLimits, TerminalCard, VerificationRule

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


def test_a_card_that_somebody_has_is_not_given_away() -> None:
    with pytest.raises(errors.CardTaken):
        cards.add(Prepared(refusal("cardNoAlreadyExist", "cardNo")), TerminalCard("7", "5"))


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


def test_the_owner_of_a_card_is_who_has_it_letter_by_letter() -> None:
    rows = [
        {"employeeNo": str(owner), "cardNo": number} for owner, number in enumerate(["0AB1", "AB1", "00aB1", "00AB1"])
    ]
    client = Prepared(answer(listed(*rows)), answer(listed(total=4)))
    assert cards.owner_of(client, "00AB1") == TerminalCard("00AB1", "3")
    condition = body(client)["CardInfoSearchCond"]
    assert condition.pop("searchID")
    assert condition == {"searchResultPosition": 0, "maxResults": 30, "CardNoList": [{"cardNo": "00AB1"}]}
    assert cards.owner_of(Prepared(answer(listed(*rows)), answer(listed(total=4))), "0ab1") is None


def test_the_owner_is_found_on_the_last_page_of_a_list_of_all_cards() -> None:
    first = [{"employeeNo": "5", "cardNo": str(number)} for number in range(30)]
    pages = (
        answer(listed(*first, total=31).replace(b'"OK"', b'"MORE"')),
        answer(listed({"employeeNo": "6", "cardNo": "A"}, total=31)),
    )
    assert cards.owner_of(Prepared(*pages), "A") == TerminalCard("A", "6")


def test_nobody_has_the_card_only_when_the_whole_list_says_so() -> None:
    assert cards.owner_of(Prepared(answer(listed())), "7") is None
    incomplete = listed({"employeeNo": "5", "cardNo": "8"}, total=2)
    for unclear in ([answer(b"{}")], [answer(listed({"employeeNo": "5"}))], [answer(incomplete), answer(listed())]):
        with pytest.raises(errors.Nonsense):
            cards.owner_of(Prepared(*unclear), "7")


def test_a_card_of_two_people_is_nobodys_for_certain() -> None:
    rows = [{"employeeNo": owner, "cardNo": "7"} for owner in ("5", "6")]
    with pytest.raises(errors.Nonsense):
        cards.owner_of(Prepared(answer(listed(*rows)), answer(listed(total=2))), "7")


def limits(**words: Any) -> CardLimits:
    return cards.capabilities(Prepared(answer(json.dumps({"CardInfo": words}).encode())))


def test_what_a_terminal_tells_of_its_limits_is_read() -> None:
    found = limits(
        supportFunction={"@opt": "post, setUp"}, maxRecordNum="6000", numberPerPerson=9, cardNo={"@min": 1, "@max": 32}
    )
    assert found == CardLimits(6000, 9, 1, 32, frozenset({"post", "setup"}))


def test_five_cards_a_person_are_the_limit_where_none_is_told_and_255_is_no_limit() -> None:
    assert limits() == CardLimits(cards=None, per_person=5, min_length=None, max_length=None, functions=frozenset())
    assert limits(numberPerPerson=255).per_person is None


@pytest.mark.parametrize("listed", [{"@opt": ["post", "get"]}, "post,get", ["POST", "Get"]])
def test_calls_are_listed_in_several_forms(listed: object) -> None:
    assert limits(supportFunction=listed).functions == {"post", "get"}


def test_limits_that_are_no_numbers_are_not_told() -> None:
    assert limits(supportFunction=7, maxRecordNum=-1, numberPerPerson=None, cardNo=20) == CardLimits()
    with pytest.raises(errors.Nonsense):
        cards.capabilities(Prepared(answer(b"{}")))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"cardNoLenMode": "3Bytes", "reverseCardNoEnabled": True}, VerificationRule("3Bytes", is_reversed=True)),
        ({"cardNoLenMode": "full", "reverseCardNoEnabled": False}, VerificationRule("full", is_reversed=False)),
        ({"cardNoLenMode": "<b>", "reverseCardNoEnabled": "?"}, VerificationRule()),
        ({}, VerificationRule()),
    ],
)
def test_the_rule_of_card_numbers_is_read(words: dict[str, Any], rule: VerificationRule) -> None:
    client = Prepared(answer(json.dumps({"CardVerificationRule": words}).encode()))
    assert cards.verification_rule(client) == rule
    path = "/ISAPI/AccessControl/CardVerificationRule?format=json"
    assert [(sent.method, sent.path) for sent in client.sent] == [("GET", path)]


def test_cards_are_counted() -> None:
    client = Prepared(answer(b'{"CardInfoCount":{"cardNumber":"12"}}'))
    assert cards.count(client) == 12
    assert (client.sent[0].method, client.sent[0].path) == ("GET", f"{CALLS}/Count?format=json")
    for unclear in (b"{}", b'{"CardInfoCount":{}}', b'{"CardInfoCount":{"cardNumber":-1}}'):
        with pytest.raises(errors.Nonsense):
            cards.count(Prepared(answer(unclear)))


def test_one_card_is_removed_by_a_list_of_its_number_alone() -> None:
    listed_there = (answer(listed({"employeeNo": "5", "cardNo": "00aB12"})), answer(listed(total=1)))
    client = Prepared(*listed_there, answer())
    cards.remove(client, "00aB12")
    assert (client.sent[2].method, client.sent[2].path) == ("PUT", f"{CALLS}/Delete?format=json")
    assert body(client, 2) == {"CardInfoDelCond": {"CardNoList": [{"cardNo": "00aB12"}]}}
    cards.remove(Prepared(*listed_there, refusal("employeeNoNotExist")), "00aB12")


def test_card_that_nobody_has_is_not_removed() -> None:
    client = Prepared(answer(listed()))
    cards.remove(client, "7")
    assert len(client.sent) == 1


def test_no_card_is_removed_where_the_list_may_be_ignored() -> None:
    """Or the cards of all people might go."""
    page = listed({"employeeNo": "5", "cardNo": "7"}, {"employeeNo": "6", "cardNo": "8"})
    client = Prepared(answer(page), answer(listed(total=2)))
    with pytest.raises(errors.NotSupported):
        cards.remove(client, "7")
    assert len(client.sent) == 2


@pytest.mark.parametrize("number", ["", " ", "7 ", "7;8", "Ж", "7" * 33, None, 7])
def test_nothing_but_a_number_is_sent(number: Any) -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="number"):
        cards.remove(client, number)
    with pytest.raises(ValueError, match="number"):
        cards.add(client, TerminalCard(number, "5"))
    with pytest.raises(ValueError, match="number"):
        cards.owner_of(client, number)
    assert client.sent == []
