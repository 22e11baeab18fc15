from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from tests.simulator.conftest import Client

Play = Callable[..., Client]

FDSEARCH = "/ISAPI/Intelligent/FDLib/FDSearch?format=json"


@pytest.fixture
def play(clock: SkippingClock, client_for: type[Client]) -> Play:
    """Play the seed terminal in other words: a client of one with two persons who have faces."""

    def start(**words: Any) -> Client:
        terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, **words))
        for number in ("1", "2"):
            terminal.store.add(number, {})
            terminal.store.bind(number, faces.draw("anna"))
        return client_for(terminal)

    return start


def faces_found(client: Client, **condition: Any) -> Any:
    query = {"searchResultPosition": 0, "maxResults": 30, "faceLibType": "blackFD", "FDID": "1"} | condition
    return client.ask("POST", FDSEARCH, query).get_json()


@pytest.mark.parametrize("word", ["NO MATCH", "NO_MATCH", "NO MATCHES", "NO_MATCHES"])
def test_nobody_found_is_said_in_the_words_of_the_firmware(play: Play, word: str) -> None:
    client = play(search_no_match=word)

    persons, found = client.search(EmployeeNoList=[{"employeeNo": "5"}]), faces_found(client, FPID="5")

    assert persons == {"searchID": "a1", "responseStatusStrg": word, "numOfMatches": 0, "totalMatches": 0}
    assert (found["responseStatusStrg"], found["totalMatches"]) == (word, 0)


def test_nobody_found_can_be_a_total_of_0_alone(play: Play) -> None:
    client = play(search_no_match="")

    persons, found = client.search(EmployeeNoList=[{"employeeNo": "5"}]), faces_found(client, FPID="5")

    assert persons == {"searchID": "a1", "totalMatches": 0}
    assert set(found) == {"statusCode", "statusString", "subStatusCode", "totalMatches"}
    assert client.search()["responseStatusStrg"] == "OK"


def test_more_is_said_at_the_end_until_no_row_comes(play: Play) -> None:
    client = play(more_at_the_end=True)

    last, beyond = (client.search(searchResultPosition=start) for start in (0, 2))

    assert (last["responseStatusStrg"], last["numOfMatches"], last["totalMatches"]) == ("MORE", 2, 2)
    assert (beyond["responseStatusStrg"], beyond["numOfMatches"], beyond["totalMatches"]) == ("NO MATCH", 0, 2)
    assert faces_found(client)["responseStatusStrg"] == "MORE"


@pytest.mark.parametrize(("cuts", "status", "code"), [(True, 200, None), (False, 400, "badJsonContent")])
def test_search_for_more_than_30_is_cut_or_refused(play: Play, cuts: bool, status: int, code: str | None) -> None:
    client = play(cuts_long_pages=cuts)
    condition = {"searchID": "a1", "searchResultPosition": 0, "maxResults": 31}

    answer = client.ask("POST", "/ISAPI/AccessControl/UserInfo/Search?format=json", {"UserInfoSearchCond": condition})

    assert (answer.status_code, answer.get_json().get("subStatusCode")) == (status, code)
    assert faces_found(client, maxResults=31)["totalMatches"] == 2


def test_page_that_leaves_rows_says_more_and_the_last_one_ok(play: Play) -> None:
    client = play()

    pages = [client.search(searchResultPosition=start, maxResults=1)["responseStatusStrg"] for start in (0, 1)]

    assert pages == ["MORE", "OK"]
    assert faces_found(client, maxResults=1)["responseStatusStrg"] == "MORE"
