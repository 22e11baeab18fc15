import re
from dataclasses import replace

import pytest

from hikflask.simulator import SEED, Terminal

COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"


def tries(answer):
    return re.findall(r"<retryLoginTime>(\d)<", answer.text)


def test_challenge_has_the_recorded_form(talk, recordings):
    recorded = (recordings / "other_terminals" / "www_authenticate_K1T342MWX.txt").read_text().strip()

    answer = talk.http.get(COUNT)

    blank = re.compile(r'nonce="[A-Za-z0-9+/=]{44}"')
    assert blank.sub("", answer.headers["WWW-Authenticate"]) == blank.sub("", recorded)


def test_request_without_credentials_does_not_count(terminal, talk):
    answers = [talk.http.get(COUNT) for _ in range(10)]

    assert [tries(answer) for answer in answers] == [["5"]] * 10
    assert terminal.wrong_passwords == 0


@pytest.mark.parametrize("path", [COUNT, "/LOCALS/pic/web_face_enrollpic.jpg", "/ISAPI/no/such/path"])
def test_nothing_is_open_without_login(talk, path):
    assert talk.http.get(path).status_code == 401


def test_wrong_passwords_count_down_and_lock(terminal, talk_to):
    wrong = talk_to(terminal, "Wrong123")

    answers = [wrong.ask("GET", COUNT) for _ in range(5)]

    assert [tries(answer) for answer in answers] == [["4"], ["3"], ["2"], ["1"], []]
    assert "<lockStatus>lock</lockStatus><unlockTime>1800</unlockTime>" in answers[-1].text
    assert terminal.wrong_passwords == 5


def test_locked_account_refuses_the_right_password_until_the_time_is_over(terminal, talk, clock):
    terminal.login.lock()
    clock.advance(1689)

    locked = talk.ask("GET", COUNT)
    clock.advance(111)
    opened = talk.ask("GET", COUNT)

    assert locked.status_code == 401
    assert "<unlockTime>111</unlockTime>" in locked.text
    assert opened.status_code == 200


def test_right_password_resets_the_count(terminal, talk, talk_to):
    wrong = talk_to(terminal, "Wrong123")
    wrong.ask("GET", COUNT)
    talk.ask("GET", COUNT)

    assert tries(wrong.ask("GET", COUNT)) == ["4"]


def test_nonce_is_reused_without_limit_on_the_seed(talk):
    answers = [talk.ask("GET", COUNT) for _ in range(50)]

    assert {answer.status_code for answer in answers} == {200}
    assert talk.count == 50


def test_credentials_for_another_query_are_refused(talk):
    talk.ask("GET", COUNT)
    header = talk.credentials("GET", COUNT)

    answer = talk.http.get(COUNT.partition("?")[0], headers={"Authorization": header})

    assert answer.status_code == 401


def test_nonce_from_before_a_restart_is_refused_and_not_counted(terminal, talk):
    talk.ask("GET", COUNT)
    terminal.restart()

    answer = talk.open("GET", COUNT)

    assert (answer.status_code, terminal.wrong_passwords) == (401, 0)
    talk.learn(answer)
    assert talk.open("GET", COUNT).status_code == 200


def test_spent_nonce_is_answered_without_a_challenge(talk_to, clock):
    profile = replace(SEED, nonce_uses=2, challenge_after_dead_nonce=False)
    talk = talk_to(Terminal("Secret12", clock=clock, profile=profile))

    answers = [talk.ask("GET", COUNT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert "WWW-Authenticate" not in answers[-1].headers
    assert tries(answers[-1]) == ["5"]


def test_old_nonce_is_refused_with_a_new_challenge(talk_to, clock):
    talk = talk_to(Terminal("Secret12", clock=clock, profile=replace(SEED, nonce_seconds=30)))
    talk.ask("GET", COUNT)
    clock.advance(30)

    answer = talk.ask("GET", COUNT)
    talk.learn(answer)

    assert answer.status_code == 401
    assert talk.ask("GET", COUNT).status_code == 200


@pytest.mark.parametrize("challenge", ["sha256", "several", "no-qop"])
def test_other_challenges_can_be_answered(talk_to, clock, challenge):
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, challenge=challenge))

    right, wrong = talk_to(terminal).ask("GET", COUNT), talk_to(terminal, "Wrong123").ask("GET", COUNT)

    assert (right.status_code, wrong.status_code) == (200, 401)


def test_several_challenges_are_several_headers(talk_to, clock):
    talk = talk_to(Terminal("Secret12", clock=clock, profile=replace(SEED, challenge="several")))

    challenges = talk.http.get(COUNT).headers.getlist("WWW-Authenticate")

    assert [re.findall(r"algorithm=([\w-]+)", challenge) for challenge in challenges] == [["MD5"], ["SHA-256"]]


def test_password_is_in_no_repr(terminal):
    assert "Secret12" not in f"{terminal!r} {terminal.login!r}"
