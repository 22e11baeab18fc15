import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, SkippingClock, Terminal
from tests.simulator.conftest import Client

COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"


def tries(answer: TestResponse) -> list[str]:
    return re.findall(r"<retryLoginTime>(\d)<", answer.text)


def test_challenge_has_the_recorded_form(client: Client, recordings: Path) -> None:
    recorded = (recordings / "other_terminals" / "www_authenticate_K1T342MWX.txt").read_text().strip()

    answer = client.http.get(COUNT)

    blank = re.compile(r'nonce="[A-Za-z0-9+/=]{44}"')
    assert blank.sub("", answer.headers["WWW-Authenticate"]) == blank.sub("", recorded)


def test_request_without_credentials_does_not_count(terminal: Terminal, client: Client) -> None:
    answers = [client.http.get(COUNT) for _ in range(10)]

    assert [tries(answer) for answer in answers] == [["5"]] * 10
    assert terminal.wrong_passwords == 0


@pytest.mark.parametrize("path", [COUNT, "/LOCALS/pic/web_face_enrollpic.jpg", "/ISAPI/no/such/path"])
def test_nothing_is_open_without_login(client: Client, path: str) -> None:
    assert client.http.get(path).status_code == 401


def test_silent_challenge_has_words_for_a_refused_password_alone(
    clock: SkippingClock, client_for: type[Client]
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, silent_challenge=True))
    client, wrong = client_for(terminal), client_for(terminal, "Wrong123")

    without, refused, accepted = client.http.get(COUNT), wrong.ask("GET", COUNT), client.ask("GET", COUNT)
    terminal.login.forget_nonces()
    dead = client.open("GET", COUNT)

    assert [answer.status_code for answer in (without, refused, accepted, dead)] == [401, 401, 200, 401]
    assert (without.data, tries(refused), dead.data) == (b"", ["4"], b"")
    assert all("WWW-Authenticate" in answer.headers for answer in (without, refused, dead))


def test_wrong_passwords_count_down_and_lock(terminal: Terminal, client_for: type[Client]) -> None:
    wrong = client_for(terminal, "Wrong123")

    answers = [wrong.ask("GET", COUNT) for _ in range(5)]

    assert [tries(answer) for answer in answers] == [["4"], ["3"], ["2"], ["1"], []]
    assert "<lockStatus>lock</lockStatus><unlockTime>1800</unlockTime>" in answers[-1].text
    assert terminal.wrong_passwords == 5


def test_locked_account_refuses_the_right_password_until_the_time_is_over(
    terminal: Terminal, client: Client, clock: SkippingClock
) -> None:
    terminal.login.lock()
    clock.advance(1689)

    locked = client.ask("GET", COUNT)
    clock.advance(111)
    opened = client.ask("GET", COUNT)

    assert locked.status_code == 401
    assert "<unlockTime>111</unlockTime>" in locked.text
    assert opened.status_code == 200


def test_right_password_resets_the_count(terminal: Terminal, client: Client, client_for: type[Client]) -> None:
    wrong = client_for(terminal, "Wrong123")
    wrong.ask("GET", COUNT)
    client.ask("GET", COUNT)

    assert tries(wrong.ask("GET", COUNT)) == ["4"]


def test_nonce_is_reused_without_limit_on_the_seed(client: Client) -> None:
    answers = [client.ask("GET", COUNT) for _ in range(50)]

    assert {answer.status_code for answer in answers} == {200}
    assert client.count == 50


def test_credentials_for_another_query_are_refused(client: Client) -> None:
    client.ask("GET", COUNT)
    header = client.credentials("GET", COUNT)

    answer = client.http.get(COUNT.partition("?")[0], headers={"Authorization": header})

    assert answer.status_code == 401


def test_nonce_from_before_a_restart_is_refused_and_not_counted(terminal: Terminal, client: Client) -> None:
    client.ask("GET", COUNT)
    terminal.restart()

    answer = client.open("GET", COUNT)

    assert (answer.status_code, terminal.wrong_passwords) == (401, 0)
    client.learn(answer)
    assert client.open("GET", COUNT).status_code == 200


def test_spent_nonce_is_answered_without_a_challenge(client_for: type[Client], clock: SkippingClock) -> None:
    profile = replace(SEED, nonce_uses=2, challenge_after_dead_nonce=False)
    client = client_for(Terminal("Secret12", clock=clock, profile=profile))

    answers = [client.ask("GET", COUNT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert "WWW-Authenticate" not in answers[-1].headers
    assert tries(answers[-1]) == ["5"]


def test_old_nonce_is_refused_with_a_new_challenge(client_for: type[Client], clock: SkippingClock) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, nonce_seconds=30)))
    client.ask("GET", COUNT)
    clock.advance(30)

    answer = client.ask("GET", COUNT)
    client.learn(answer)

    assert answer.status_code == 401
    assert client.ask("GET", COUNT).status_code == 200


@pytest.mark.parametrize("challenge", ["sha256", "several", "no-qop"])
def test_other_challenges_can_be_answered(
    client_for: type[Client], clock: SkippingClock, challenge: Literal["sha256", "several", "no-qop"]
) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, challenge=challenge))

    right, wrong = client_for(terminal).ask("GET", COUNT), client_for(terminal, "Wrong123").ask("GET", COUNT)

    assert (right.status_code, wrong.status_code) == (200, 401)


def test_several_challenges_are_several_headers(client_for: type[Client], clock: SkippingClock) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, challenge="several")))

    challenges = client.http.get(COUNT).headers.getlist("WWW-Authenticate")

    assert [re.findall(r"algorithm=([\w-]+)", challenge) for challenge in challenges] == [["MD5"], ["SHA-256"]]


def test_password_is_in_no_repr(terminal: Terminal) -> None:
    assert "Secret12" not in f"{terminal!r} {terminal.login!r}"
