"""The limit of requests that wait on terminals, on pages: one too many is told so, and nothing typed is lost."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from tests.support.desk import ENGLISH, Desk
from tests.support.signed_in import OPERATOR_NAME

TOO_MANY = (
    "Одновременных обращений к терминалам от одного оператора или программы: не больше 2. Сначала дождитесь ответа.",
    "At most 2 requests to terminals at a time for one operator or program. Wait for an answer first.",
)
BUSY = (
    "Сервер уже ждёт ответа стольких терминалов, скольких может. Повторите через 5 с.",
    "The server is waiting on as many terminals as it can. Try again in 5 s.",
)
FORM = {
    "name": "Склад", "url": "https://127.0.0.1:9", "username": "admin", "password": "Abc12345", "fingerprint": "",
    "is_active": "y",
}  # fmt: skip


@pytest.fixture
def settings() -> dict[str, Any]:
    """Few places."""
    return {"TERMINAL_THREADS": 3, "TERMINAL_CALLS": 2}


@pytest.fixture
def own_share_taken(app: Flask) -> Iterator[None]:
    """The operator at the desk waits on terminals in two other windows."""
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(app.extensions["terminal_concurrency"].slot(OPERATOR_NAME))
        yield


@pytest.fixture
def all_taken(app: Flask) -> Iterator[None]:
    """Other callers wait on terminals in all places."""
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(app.extensions["terminal_concurrency"].slot(f"API {number}"))
        yield


def both(desk: Desk, address: str) -> tuple[str, str]:
    """What the page of a terminal says in either language after a button was pressed."""
    in_english = desk.client.post(address, headers=ENGLISH, follow_redirects=True).text
    return desk.client.post(address, follow_redirects=True).text, in_english


@pytest.mark.usefixtures("own_share_taken")
def test_operator_who_waits_twice_already_asks_no_third_terminal(desk: Desk) -> None:
    pages = both(desk, "/terminals/1/check")

    assert [sentence in page for sentence, page in zip(TOO_MANY, pages, strict=True)] == [True, True]
    assert desk.simulator.log == []


@pytest.mark.usefixtures("all_taken")
def test_check_without_a_place_says_when_to_try_again(desk: Desk) -> None:
    pages = both(desk, "/terminals/1/check")

    assert [sentence in page for sentence, page in zip(BUSY, pages, strict=True)] == [True, True]
    assert desk.simulator.log == []


@pytest.mark.usefixtures("all_taken")
@pytest.mark.parametrize("address", ["/terminals/", "/terminals/fingerprint", "/terminals/1"])
def test_form_that_has_to_ask_a_terminal_first_comes_back_as_typed(desk: Desk, address: str) -> None:
    answer = desk.client.post(address, data=FORM)

    assert answer.status_code == 503
    assert BUSY[0] in answer.text
    assert 'value="Склад"' in answer.text
    assert FORM["password"] not in answer.text


@pytest.mark.usefixtures("all_taken")
def test_terminal_is_not_taken_out_of_service_meanwhile(desk: Desk) -> None:
    answer = desk.client.post("/terminals/1/retire", data={"note": "украден"})

    assert answer.status_code == 503
    assert BUSY[0] in answer.text
    assert "украден" in answer.text
    assert "выведен из эксплуатации" not in desk.text("/terminals/1")
