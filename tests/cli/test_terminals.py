"""The command line: terminals are added and checked; passwords come from standard input and never go out."""

import dataclasses
import json
import re
from ipaddress import ip_network

import pytest
from click.testing import Result
from flask import Flask

from hikflask.extensions import db, vault
from hikflask.models import Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.terminals import registry
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.comparisons import last_row_again, show_numbers_otherwise, strangers
from tests.support.enrolments import enrol
from tests.support.wire import InProcess

URL = f"http://{HOST}"


def run(app: Flask, *arguments: str, password: str = PASSWORD) -> Result:
    return app.test_cli_runner().invoke(args=["terminal", *arguments], input=f"{password}\n")


def add(app: Flask, *more: str, name: str = "Вход", url: str = URL, password: str = PASSWORD) -> Result:
    return run(app, "add", name, url, "admin", "--password-stdin", *more, password=password)


def rows(app: Flask) -> list[tuple[str, str, str]]:
    """Name, address and password of each terminal."""
    with app.app_context():
        return [(row.name, row.url, vault.decrypt(row.password_encrypted)) for row in registry.list_all()]


@pytest.mark.usefixtures("simulator")
def test_terminal_is_added_and_checked(app: Flask) -> None:
    result = add(app)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "Terminal 1 “Вход” added." in result.stdout
    assert "DS-K1T343EFWX V4.38.0" in result.stdout
    assert "capture url, face by url" in result.stdout
    assert rows(app) == [("Вход", URL, PASSWORD)]


def test_what_a_terminal_does_not_tell_is_a_question_mark(app: Flask, simulator: Simulated) -> None:
    untold = {"UserInfo/Count", "UserInfo/capabilities", "CaptureFaceData/capabilities"}
    missing = frozenset({"Intelligent/FDLib/capabilities", *(f"AccessControl/{path}" for path in untold)})
    simulator.profile = dataclasses.replace(simulator.profile, missing=missing)

    result = add(app)

    assert (
        "DS-K1T343EFWX V4.38.0: capture unknown, face by unknown, people ? of ?, faces ? of ?"
        in result.stdout.splitlines()
    )


def test_terminal_that_does_not_answer_is_added_all_the_same(app: Flask) -> None:
    result = add(app)

    assert result.exit_code == 0
    assert "Not checked yet: “Вход” does not answer at http://terminal.test." in result.stdout
    assert rows(app) == [("Вход", URL, PASSWORD)]


def test_setting_that_keeps_a_terminal_out_is_named(app: Flask) -> None:
    del app.extensions["terminal_transport"]
    add(app, url="http://127.0.0.1:9")
    app.extensions["terminal_clients"].close()
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"),)

    result = run(app, "check", "1")

    assert result.stderr == (
        "Error: The address of “Вход” is in no network of HIKFLASK_TERMINAL_NETWORKS: http://127.0.0.1:9. Correct "
        "it, or add its network there.\n"
    )


def test_refused_password_is_said_and_tried_once(app: Flask, simulator: Simulated) -> None:
    result = add(app, password="Wrong123")

    assert result.exit_code == 0
    assert "Not checked yet: The terminal refused the password." in result.stdout
    assert simulator.wrong_passwords == 1


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
@pytest.mark.usefixtures("simulator")
def test_password_is_the_first_line_of_standard_input(app: Flask, ending: str) -> None:
    arguments = ["terminal", "add", "Вход", URL, "admin", "--password-stdin"]

    app.test_cli_runner().invoke(args=arguments, input=f" {PASSWORD} {ending}")

    assert rows(app) == [("Вход", URL, f" {PASSWORD} ")]


@pytest.mark.usefixtures("simulator")
def test_password_is_asked_for_without_being_shown(app: Flask) -> None:
    result = run(app, "add", "Вход", URL, "admin")

    assert result.exit_code == 0
    assert PASSWORD not in result.output
    assert rows(app) == [("Вход", URL, PASSWORD)]


@pytest.mark.parametrize("option", ["--password", "--password-stdin=Abc12345"])
def test_password_is_never_an_argument(app: Flask, option: str) -> None:
    result = run(app, "add", "Вход", URL, "admin", option, PASSWORD)

    assert result.exit_code == 2
    assert rows(app) == []


@pytest.mark.usefixtures("simulator")
def test_password_is_in_no_output(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")

    results = [add(app), add(app), add(app, "--replace"), add(app, name=""), run(app, "check", "1")]

    assert [result.exit_code for result in results] == [0, 1, 0, 1, 0]
    assert not [result.output for result in results if PASSWORD in result.output]
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("more", [(), ("--replace",)])
def test_address_that_may_not_be_connected_to_is_refused(app: Flask, more: tuple[str, ...]) -> None:
    add(app)

    result = add(app, *more, name="Вход" if more else "Склад", url="http://169.254.169.254")

    assert result.exit_code == 1
    assert result.stderr == "Error: No terminal may have this address. Correct it.\n"
    assert [url for _, url, _ in rows(app)] == [URL]


def test_name_in_use_is_refused(app: Flask) -> None:
    add(app)

    result = add(app, url="http://other.test")

    assert result.exit_code == 1
    assert result.stderr == "Error: Another terminal has this name. Choose another name.\n"
    assert rows(app) == [("Вход", URL, PASSWORD)]


def test_replace_changes_the_terminal_of_this_name(app: Flask) -> None:
    add(app)

    result = add(app, "--replace", url="http://other.test", password="Other123")

    assert "Terminal 1 “Вход” changed." in result.stdout
    assert rows(app) == [("Вход", "http://other.test", "Other123")]


def test_replace_keeps_that_the_terminal_takes_pictures(app: Flask) -> None:
    add(app)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(face_by_picture=True))
        db.session.commit()

    add(app, "--replace")

    with app.app_context():
        assert db.session.get_one(Terminal, 1).face_by_picture is True


def test_replace_keeps_the_pin_of_the_same_address_until_another_one_is_given(app: Flask) -> None:
    def pin_after(*more: str, url: str) -> str | None:
        assert add(app, *more, url=url, password="Other123").exit_code == 0
        with app.app_context():
            return db.session.get_one(Terminal, 1).fingerprint

    https, other = "https://away.test", "https://other.test"
    assert pin_after("--fingerprint", "ab" * 32, url=https) == "ab" * 32
    assert pin_after("--replace", url=https) == "ab" * 32
    assert pin_after("--replace", "--fingerprint", "cd" * 32, url=https) == "cd" * 32
    assert pin_after("--replace", "--fingerprint", "", url=https) is None
    pin_after("--replace", "--fingerprint", "ab" * 32, url=https)
    assert pin_after("--replace", url=other) is None


def test_replace_adds_where_there_is_none(app: Flask) -> None:
    result = add(app, "--replace")

    assert "Terminal 1 “Вход” added." in result.stdout
    assert rows(app) == [("Вход", URL, PASSWORD)]


def test_bad_input_is_refused_in_english(app: Flask, simulator: Simulated) -> None:
    for more, spoilt, sentence in [
        (("--fingerprint", "ab" * 31), {}, "“Certificate fingerprint” must be 64 hex digits (SHA-256)."),
        ((), {"url": "http://admin:pw@terminal.test"}, "“Address” must look like"),
        ((), {"name": " "}, "“Name” must not be empty."),
        ((), {"password": ""}, "“Password” must not be empty."),
    ]:
        result = add(app, *more, **spoilt)

        assert result.exit_code == 1
        assert sentence in result.stderr
        assert rows(app) == []
        assert simulator.log == []


@pytest.mark.usefixtures("terminal")
def test_check_says_what_the_terminal_can(app: Flask, simulator: Simulated) -> None:
    simulator.store.add("100222", {"name": "Иван"})

    result = run(app, "check", "1")

    assert result.exit_code == 0
    assert "DS-K1T343EFWX V4.38.0" in result.stdout
    assert "people 1 of" in result.stdout


@pytest.mark.usefixtures("terminal")
def test_check_of_a_terminal_that_is_away_fails_with_the_reason(app: Flask, wire: InProcess) -> None:
    wire.away.add(HOST)

    result = run(app, "check", "1")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: “Вход” does not answer at http://terminal.test.")


def test_check_of_an_unknown_terminal_fails(app: Flask) -> None:
    result = run(app, "check", "7")

    assert (result.exit_code, result.stderr) == (1, "Error: There is no terminal 7.\n")


@pytest.mark.parametrize("number", ["0", str(2**31), "9" * 30])
def test_number_that_no_terminal_can_have_is_refused_in_a_sentence(app: Flask, number: str) -> None:
    result = run(app, "check", number)

    assert result.exit_code == 2
    assert f"{number} is not in the range 1<=x<=2147483647" in result.stderr


def test_bad_address_is_refused_before_the_password_is_asked_for(app: Flask) -> None:
    result = run(app, "add", "Вход", "ftp://terminal.test", "admin")

    assert result.exit_code == 1
    assert "“Address” must look like" in result.stderr
    assert "Password" not in result.stdout


@pytest.mark.usefixtures("simulator")
def test_terminals_are_listed_with_their_state_and_without_passwords(app: Flask) -> None:
    add(app)
    add(app, name="Склад", url="http://away.test")
    with app.app_context():
        db.session.execute(db.update(Terminal).where(Terminal.id == 2).values(refused_since=database_now()))
        db.session.commit()
        kept = [row.password_encrypted for row in registry.list_all()]

    result = run(app, "list")

    head, *lines = (re.split(r" {2,}", line) for line in result.stdout.splitlines())
    assert head == ["ID", "NAME", "STATE", "LAST CHECK", "ADDRESS", "ACCOUNT"]
    assert [line[:3] for line in lines] == [["1", "Вход", "reachable"], ["2", "Склад", "password refused"]]
    assert lines[0][3].endswith(" UTC")
    assert lines[0][4:] == [URL, "admin"]
    assert not [secret for secret in (PASSWORD, *kept) if secret in result.output]


@pytest.mark.usefixtures("terminal")
def test_comparison_lists_the_differences_in_words_and_as_json(app: Flask, simulator: Simulated) -> None:
    assert run(app, "compare", "1").output == "0 on the terminal, 0 the same here and there.\nNo differences.\n"
    strangers(simulator, ["902", "901"])

    words, as_json = run(app, "compare", "1"), run(app, "compare", "1", "--json")

    assert words.output == "2 on the terminal, 0 the same here and there.\nOnly on the terminal (2): 901, 902\n"
    nothing: dict[str, list[str]] = {
        kind: [] for kind in ("name", "face_missing", "face_other", "only_here", "only_there", "validity")
    }
    assert json.loads(as_json.output.splitlines()[-1]) == {"same": 0, **nothing, "only_there": ["901", "902"]}


@pytest.mark.usefixtures("terminal", "context", "worker_alive")
def test_comparison_says_that_the_list_leaves_people_out(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(simulator, [str(number) for number in range(900, 930)])
    enrol(simulator, terminal)
    last_row_again(simulator, wire, monkeypatch)
    no_count = frozenset({"AccessControl/UserInfo/Count"})
    simulator.profile = dataclasses.replace(simulator.profile, tells_page_as_total=True, missing=no_count)

    first, second, *_ = run(app, "compare", "1").output.splitlines()

    assert (first, second) == (
        "The terminal may leave people out of its list. Employees were asked for by ID, others may be on it, too.",
        "1 the same here and there.",
    )


@pytest.mark.usefixtures("context", "worker_alive")
def test_comparison_says_that_the_terminal_shows_ids_otherwise(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(simulator, terminal, Draft("007", "Ольга Орлова"))
    show_numbers_otherwise(wire, monkeypatch)

    words, as_json = run(app, "compare", "1").output.splitlines(), run(app, "compare", "1", "--json").output

    warning = (
        "The terminal shows IDs without leading zeros or in upper case, so it shows employees as others. "
        "These are not removed."
    )
    assert (words[0], json.loads(as_json.splitlines()[-1])["warning"]) == (warning, warning)


@pytest.mark.usefixtures("terminal")
def test_comparison_that_fails_ends_with_status_1(app: Flask, wire: InProcess) -> None:
    wire.away.add(HOST)

    failed = run(app, "compare", "1", "--json")

    assert failed.exit_code == 1
    assert failed.output == f"Error: “Вход” does not answer at {URL}. Check power and network.\n"
    assert run(app, "compare", "7").exit_code == 1


@pytest.mark.usefixtures("terminal")
def test_check_says_that_a_terminal_asks_for_no_password(app: Flask, simulator: Simulated) -> None:
    assert "password" not in run(app, "check", "1").stdout
    simulator.profile = dataclasses.replace(simulator.profile, asks_password=False)
    app.extensions["terminal_clients"].close()

    assert run(app, "check", "1").stdout.endswith(". It asks for no password\n")
