from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, SkippingClock, Terminal
from hikflask.simulator.profiles import PROFILES
from tests.simulator.conftest import Client

CARDS = "/ISAPI/AccessControl/CardInfo"


@pytest.fixture
def owners(client: Client) -> Client:
    """100222 and 5 are on the terminal, without a card."""
    client.add_person()
    client.add_person("5")
    return client


def send(client: Client, method: str, what: str, number: Any, **fields: str) -> TestResponse:
    return client.ask(method, f"{CARDS}/{what}?format=json", {"CardInfo": {"cardNo": number} | fields})


def add(client: Client, number: Any, owner: str = "100222", **fields: str) -> TestResponse:
    return send(client, "POST", "Record", number, employeeNo=owner, cardType="normalCard", **fields)


def find(client: Client, **condition: Any) -> Any:
    query = {"searchID": "a1", "searchResultPosition": 0, "maxResults": 30} | condition
    return client.ask("POST", f"{CARDS}/Search?format=json", {"CardInfoSearchCond": query}).get_json()["CardInfoSearch"]


def code_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["subStatusCode"]


def cards_of_people(client: Client) -> dict[str, int]:
    return {person["employeeNo"]: person["numOfCard"] for person in client.search()["UserInfo"]}


def test_card_is_found_by_its_number_and_by_its_owner(owners: Client) -> None:
    add(owners, "1234")
    add(owners, "99", "5")

    by_number, by_owner = (
        find(owners, CardNoList=[{"cardNo": "1234"}]),
        find(owners, EmployeeNoList=[{"employeeNo": "5"}]),
    )

    assert by_number["CardInfo"] == [
        {"employeeNo": "100222", "cardNo": "1234", "leaderCard": "", "cardType": "normalCard"}
    ]
    assert ([card["cardNo"] for card in by_owner["CardInfo"]], by_owner["totalMatches"]) == (["99"], 1)


def test_cards_come_in_pages(owners: Client) -> None:
    for number in range(31):
        add(owners, str(number))

    first, last = find(owners), find(owners, searchResultPosition=30)

    assert (first["responseStatusStrg"], first["numOfMatches"], first["totalMatches"]) == ("MORE", 30, 31)
    assert (last["responseStatusStrg"], [card["cardNo"] for card in last["CardInfo"]]) == ("OK", ["30"])


def test_no_card_found_is_said_in_the_words_of_the_firmware(clock: SkippingClock, client_for: type[Client]) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, search_no_match="NO_MATCH")))

    assert find(client) == {"searchID": "a1", "responseStatusStrg": "NO_MATCH", "numOfMatches": 0, "totalMatches": 0}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"number": "1234", "owner": "5"}, "cardNoAlreadyExist"),
        ({"number": "7", "owner": "nobody"}, "employeeNoNotExist"),
        ({"number": 7}, "badJsonContent"),
        ({"number": ""}, "illegalCardNo"),
        ({"number": "1" * 21}, "illegalCardNo"),
        ({"number": "1;2"}, "illegalCardNo"),
    ],
)
def test_card_that_cannot_be_added_changes_nothing(
    terminal: Terminal, owners: Client, fields: dict[str, Any], code: str
) -> None:
    add(owners, "1234")

    answer = add(owners, **fields)

    assert code_of(answer) == (400, code)
    assert [(card.number, card.employee_no) for card in terminal.cards.values()] == [("1234", "100222")]


def test_unknown_type_of_card_is_refused(terminal: Terminal, owners: Client) -> None:
    answer = send(owners, "POST", "Record", "1", employeeNo="5", cardType="paper")

    assert code_of(answer) == (400, "badJsonContent")
    assert terminal.cards == {}


def test_modify_changes_the_given_fields_of_a_card_that_is_there(terminal: Terminal, owners: Client) -> None:
    add(owners, "1234", leaderCard="1")

    changed = send(owners, "PUT", "Modify", "1234", cardType="superCard")
    absent = send(owners, "PUT", "Modify", "5", cardType="superCard", employeeNo="5")

    card = terminal.cards["1234"]
    assert (code_of(changed), code_of(absent)) == ((200, "ok"), (400, "cardNoNotExist"))
    assert (card.employee_no, card.kind, card.leader_card, len(terminal.cards)) == ("100222", "superCard", "1", 1)


def test_set_up_adds_and_then_changes(terminal: Terminal, owners: Client) -> None:
    send(owners, "PUT", "SetUp", "1", employeeNo="5")

    send(owners, "PUT", "SetUp", "1", employeeNo="100222")

    assert [(card.number, card.employee_no) for card in terminal.cards.values()] == [("1", "100222")]


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"CardNoList": [{"cardNo": "1"}]}, ["2", "3"]),
        ({"EmployeeNoList": [{"employeeNo": "100222"}]}, ["3"]),
        ({"CardNoList": []}, []),
        ({}, []),
    ],
)
def test_cards_are_removed_by_number_or_owner_and_all_of_them_by_an_empty_list(
    terminal: Terminal, owners: Client, condition: dict[str, Any], left: list[str]
) -> None:
    for number, owner in (("1", "100222"), ("2", "100222"), ("3", "5")):
        add(owners, number, owner)

    owners.ask("PUT", f"{CARDS}/Delete?format=json", {"CardInfoDelCond": condition})

    assert list(terminal.cards) == left
    assert len(terminal.people) == 2


def test_cards_are_counted_in_all_of_one_person_and_beside_the_people(owners: Client) -> None:
    for number in ("1", "2"):
        add(owners, number)

    counts = [owners.ask("GET", f"{CARDS}/Count?format=json{who}") for who in ("", "&employeeNo=5")]
    people = owners.ask("GET", "/ISAPI/AccessControl/UserInfo/Count?format=json").get_json()["UserInfoCount"]
    status = owners.ask("GET", "/ISAPI/AccessControl/AcsWorkStatus?format=json").get_json()["AcsWorkStatus"]

    assert [count.get_json()["CardInfoCount"]["cardNumber"] for count in counts] == [2, 0]
    assert (people["bindCardUserNumber"], status["cardNum"]) == (1, 2)
    assert cards_of_people(owners) == {"100222": 2, "5": 0}


def test_person_who_is_removed_takes_cards_along(terminal: Terminal, owners: Client) -> None:
    add(owners, "1")
    add(owners, "2", "5")

    body = {"UserInfoDetail": {"mode": "byEmployeeNo", "EmployeeNoList": [{"employeeNo": "100222"}]}}
    owners.ask("PUT", "/ISAPI/AccessControl/UserInfoDetail/Delete?format=json", body)
    terminal.store.finish_removal()

    assert list(terminal.cards) == ["2"]


def play(clock: SkippingClock, client_for: type[Client], **changes: Any) -> Client:
    """Play the seed terminal with these changes of its profile; 100222 and 5 are on it."""
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, **changes)))
    client.add_person()
    client.add_person("5")
    return client


def test_terminal_holds_as_many_cards_as_its_profile_says(clock: SkippingClock, client_for: type[Client]) -> None:
    client = play(clock, client_for, card_capacity=2)
    for number, owner in (("1", "5"), ("2", "100222")):
        add(client, number, owner)

    assert code_of(add(client, "3")) == (400, "deviceCardFull")
    assert code_of(send(client, "PUT", "SetUp", "2", employeeNo="5")) == (200, "ok"), "it is there already"


@pytest.mark.parametrize(("told", "limit"), [(2, 2), (None, 5), (255, 300)])
def test_person_has_as_many_cards_as_the_profile_says(
    clock: SkippingClock, client_for: type[Client], told: int | None, limit: int
) -> None:
    client = play(clock, client_for, cards_per_person=told)
    answers = [code_of(add(client, str(number))) for number in range(limit)]

    assert set(answers) == {(200, "ok")}
    assert code_of(add(client, "999")) == ((200, "ok") if told == 255 else (400, "cardFullPerUser"))
    assert code_of(add(client, "777", "5")) == (200, "ok")


def test_length_of_a_number_is_that_of_the_profile(clock: SkippingClock, client_for: type[Client]) -> None:
    client = play(clock, client_for, card_length=(4, 32))

    answers = [code_of(add(client, "1" * length))[1] for length in (3, 4, 32, 33)]

    assert answers == ["illegalCardNo", "ok", "ok", "illegalCardNo"]


def test_search_that_knows_no_list_of_numbers_lists_all_cards(clock: SkippingClock, client_for: type[Client]) -> None:
    client = play(clock, client_for, finds_by_card=False)
    add(client, "1")
    add(client, "2", "5")

    found = find(client, CardNoList=[{"cardNo": "2"}])
    of_owner = find(client, EmployeeNoList=[{"employeeNo": "5"}])

    assert [card["cardNo"] for card in found["CardInfo"]] == ["1", "2"]
    assert [card["cardNo"] for card in of_owner["CardInfo"]] == ["2"]


def test_limits_of_the_seed_are_told_as_recorded(client: Client, recordings: Path) -> None:
    recorded = recordings / "seed_terminal" / "18_GET_AccessControl_CardInfo_capabilities.response.json"

    assert client.ask("GET", f"{CARDS}/capabilities?format=json").data == recorded.read_bytes()


def test_limits_of_other_profiles_are_told(clock: SkippingClock, client_for: type[Client]) -> None:
    def told(model: str) -> Any:
        client = client_for(Terminal("Secret12", clock=clock, profile=PROFILES[model]))
        return client.ask("GET", f"{CARDS}/capabilities?format=json").get_json()["CardInfo"]

    small, untold, unlimited = told("K1T341AMF"), told("K1T320MWX"), told("K1T673DX")
    assert (small["maxRecordNum"], small["numberPerPerson"], small["cardNo"]) == (6000, 5, {"@min": 1, "@max": 32})
    assert {"CardNoList"} & {*small["CardInfoSearchCond"], *small["CardInfoDelCond"]} == set()
    assert "numberPerPerson" not in untold
    assert unlimited["numberPerPerson"] == 255
    assert unlimited["CardInfoSearchCond"]["CardNoList"]["maxSize"] == 30


def test_rule_of_card_numbers_is_told_where_the_model_has_it(
    client: Client, clock: SkippingClock, client_for: type[Client]
) -> None:
    path = "/ISAPI/AccessControl/CardVerificationRule?format=json"
    without = client_for(Terminal("Secret12", clock=clock, profile=PROFILES["K1A340FWX"]))

    assert client.ask("GET", path).get_json() == {
        "CardVerificationRule": {"cardNoLenMode": "full", "reverseCardNoEnabled": False}
    }
    assert code_of(without.ask("GET", path)) == (404, "notSupport")


@pytest.mark.parametrize(("what", "method"), [("Record", "POST"), ("Search", "POST"), ("Delete", "PUT")])
def test_body_without_its_root_lacks_parameters(client: Client, what: str, method: str) -> None:
    assert code_of(client.ask(method, f"{CARDS}/{what}?format=json", {})) == (400, "MessageParametersLack")
