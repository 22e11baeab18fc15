import json
from dataclasses import replace
from typing import get_args
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, SkippingClock, Terminal
from hikflask.simulator.profiles import PROFILES, LockWords
from tests.simulator.conftest import Client

COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"


def refused(clock: SkippingClock, client_for: type[Client], words: LockWords) -> tuple[TestResponse, TestResponse]:
    """The answers to one wrong password, and to the right one while the account is locked for 111 s."""
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, lock_words=words))
    wrong = client_for(terminal, "Wrong123").ask("GET", COUNT)
    terminal.login.lock(111)
    locked = client_for(terminal).ask("GET", COUNT)
    assert (wrong.status_code, locked.status_code) == (401, 401)
    assert "WWW-Authenticate" in locked.headers
    return wrong, locked


def elements(answer: TestResponse) -> dict[str, str | None]:
    root = ElementTree.fromstring(answer.data)
    return {child.tag.rpartition("}")[2]: child.text for child in root}


@pytest.mark.parametrize("words", ["lock", "locked"])
def test_user_check_says_lock_as_recorded_or_locked_as_the_guide(
    clock: SkippingClock, client_for: type[Client], words: LockWords
) -> None:
    wrong, locked = refused(clock, client_for, words)

    assert elements(wrong) == {"statusValue": "401", "lockStatus": "unlock", "retryLoginTime": "4"}
    assert elements(locked) == {"statusValue": "401", "lockStatus": words, "unlockTime": "111"}


def test_response_status_in_xml_has_tries_and_seconds(clock: SkippingClock, client_for: type[Client]) -> None:
    wrong, locked = (elements(answer) for answer in refused(clock, client_for, "xml"))

    assert (wrong["lockStatus"], wrong["retryTimes"], wrong["resLockTime"]) == ("unlock", "4", "0")
    assert (locked["lockStatus"], locked["retryTimes"], locked["resLockTime"]) == ("locked", "0", "111")
    assert (locked["statusCode"], locked["subStatusCode"]) == ("4", "badAuthorization")


@pytest.mark.parametrize(("words", "root"), [("json", None), ("json-wrapped", "ResponseStatus")])
def test_response_status_in_json_comes_bare_or_wrapped(
    clock: SkippingClock, client_for: type[Client], words: LockWords, root: str | None
) -> None:
    wrong, locked = (answer.get_json() for answer in refused(clock, client_for, words))

    wrong, locked = (answer[root] if root else answer for answer in (wrong, locked))
    assert (wrong["lockStatus"], wrong["retryTimes"], wrong["resLockTime"]) == ("unlock", 4, 0)
    assert (locked["lockStatus"], locked["retryTimes"], locked["resLockTime"]) == ("locked", 0, 111)
    assert locked["subStatusCode"] == "badAuthorization"


def test_user_check_in_json(clock: SkippingClock, client_for: type[Client]) -> None:
    wrong, locked = (json.loads(answer.data)["userCheck"] for answer in refused(clock, client_for, "json-user-check"))

    assert wrong == {"statusValue": 401, "lockStatus": "unlock", "retryLoginTime": 4}
    assert locked == {"statusValue": 401, "lockStatus": "lock", "unlockTime": 111}


def test_every_dialect_is_played_by_a_profile() -> None:
    assert {profile.lock_words for profile in PROFILES.values()} == set(get_args(LockWords))
