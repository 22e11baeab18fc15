"""Guessing: tries are counted in the database, so no second process and no hurry gets around the limit."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Throttle
from hikflask.services.accounts import rate_limit
from hikflask.services.accounts.errors import TooOften
from tests.support.apps import close
from tests.support.postgresql import Cluster
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator, client_of

KINDS = ["sqlite", "postgresql"]
# For what is counted by the statements that others prove on both.
ON_ONE = pytest.mark.parametrize("two_apps", KINDS[:1], indirect=True)


@pytest.fixture(params=KINDS)
def two_apps(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Path, settings: dict[str, Any]
) -> Iterator[tuple[Flask, Flask]]:
    """Two processes' apps on one database."""
    (tmp_path / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    database: dict[str, str] = {}
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("cluster")
        database = {"DATABASE_URL": cluster.create("throttle", "migrated")}
    given = {"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": "external", "WTF_CSRF_ENABLED": False}
    apps = [create_app({**given, **settings, **database}) for _ in range(2)]
    with apps[0].app_context():
        add_operator()
    yield apps[0], apps[1]
    for app in apps:
        close(app)
    if request.param == "postgresql":
        cluster.drop("throttle")


def sign_in(
    app: Flask, password: str = "wrong", name: str = OPERATOR_NAME, place: str = "127.0.0.1", language: str = "en"
) -> Any:
    """Sign in on a device that nobody was in on before."""
    headers = {"X-Forwarded-For": place, "Accept-Language": language}
    return app.test_client().post("/sign-in", data={"name": name, "password": password}, headers=headers)


def at_once(times: int, work: Callable[[int], object]) -> Counter[object]:
    """Do something so many times at once, and count what came of it."""
    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(work, range(times)))


def test_two_processes_share_what_was_tried(two_apps: tuple[Flask, Flask]) -> None:
    statuses = [sign_in(two_apps[number % 2]).status_code for number in range(11)]
    closed = [sign_in(app, OPERATOR_PASSWORD) for app in two_apps]

    assert statuses == [401] * 10 + [429]
    for answer in closed:
        assert answer.status_code == 429
        assert 880 <= int(answer.headers["Retry-After"]) <= 900


def test_twenty_tries_at_once_count_twenty(two_apps: tuple[Flask, Flask]) -> None:
    def take(number: int) -> str:
        with two_apps[number % 2].app_context():
            try:
                rate_limit.count_try("account:x", 12, 900.0)
            except TooOften:
                return "refused"
            finally:
                db.session.remove()
        return "taken"

    assert at_once(20, take) == {"taken": 12, "refused": 8}
    with two_apps[0].app_context():
        assert db.session.execute(db.select(Throttle.count).where(Throttle.key == "account:x")).scalar_one() == 20


def test_hurry_gets_no_more_tries(two_apps: tuple[Flask, Flask]) -> None:
    assert at_once(20, lambda number: sign_in(two_apps[number % 2]).status_code) == {401: 10, 429: 10}


@ON_ONE
def test_going_on_does_not_fill_the_audit_trail(two_apps: tuple[Flask, Flask]) -> None:
    for _ in range(25):
        sign_in(two_apps[0])

    with two_apps[0].app_context():
        found = Counter(db.session.execute(db.select(AuditEntry.action)).scalars())
    assert (found["sign_in.refused"], found["sign_in.throttled"]) == (10, 1)


ZERO = "a\x00b"


def test_what_a_database_cannot_store_is_refused_and_no_failure(two_apps: tuple[Flask, Flask]) -> None:
    app = two_apps[0]
    client = client_of(app)
    sent = [
        app.test_client().post("/sign-in", data={"name": ZERO, "password": ZERO}),
        client.get("/employees/", query_string={"q": ZERO}),
        client.get("/api/users/", query_string={"q": ZERO}),
        client.get("/uploads/a%00b.jpg"),
        client.get("/operators%00/"),
        client.post("/captures/draft", data={"full_name": ZERO, "capture_id": "1"}),
        client.post("/captures", data={"full_name": ZERO, "terminal_id": "1"}),
        client.post("/employees/", data={"full_name": ZERO, "hikvision_id": ZERO}),
        client.post("/api/users/", json={"full_name": ZERO, "hikvision_id": "1"}),
        app.test_client().post("/first-run", data={"name": ZERO, "code": ZERO}),
    ]

    assert [answer.status_code for answer in sent if answer.status_code >= 500] == []
    with app.app_context():
        assert db.session.execute(db.select(Employee)).scalars().all() == []
    assert client.get("/employees/").status_code == 200


def test_open_session_is_no_way_to_guess_its_password(app: Flask) -> None:
    client = client_of(app, confirmed=False)
    forms = [("/confirm", {"password": "wrong"}), ("/operators/", {"own_password": "wrong"})] * 3
    forms += [("/account/password", {"password": "wrong", "new_password": "x" * 12, "repeated": "x" * 12})] * 4
    forms += [("/operators/", {"own_password": OPERATOR_PASSWORD}), ("/confirm", {"password": OPERATOR_PASSWORD})]

    answers = [client.post(path, data=form) for path, form in forms]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 900
    assert client_of(app, confirmed=False).post("/confirm", data=forms[-1][1]).status_code == 303


def test_right_passwords_are_asked_for_no_more_often_than_a_person_needs(app: Flask) -> None:
    client = client_of(app, confirmed=False)

    statuses = [client.post("/confirm", data={"password": OPERATOR_PASSWORD}).status_code for _ in range(11)]

    assert statuses == [303] * 10 + [429]


def test_guesses_at_a_name_keep_nobody_from_confirming_who_is_signed_in(app: Flask) -> None:
    client = client_of(app, confirmed=False)
    for number in range(25):
        sign_in(app, place=f"198.51.100.{number % 3}")
    new = "четыре слова без связи"

    confirmed = client.post("/confirm", data={"password": OPERATOR_PASSWORD})
    changed = client.post(
        "/account/password", data={"password": OPERATOR_PASSWORD, "new_password": new, "repeated": new}
    )

    assert (confirmed.status_code, changed.status_code) == (303, 303)


@pytest.mark.usefixtures("client")
def test_one_address_closes_a_name_for_itself_alone(app: Flask) -> None:
    statuses = [sign_in(app, place="198.51.100.1").status_code for _ in range(40)]

    assert statuses == [401] * 10 + [429] * 30
    assert sign_in(app, OPERATOR_PASSWORD, place="198.51.100.1").status_code == 429
    assert sign_in(app, OPERATOR_PASSWORD, place="198.51.100.2").status_code == 303


@pytest.mark.usefixtures("client")
def test_many_addresses_close_a_name_for_every_strange_device(app: Flask) -> None:
    statuses = [sign_in(app, place=f"198.51.100.{number}").status_code for number in range(25)]
    answer = sign_in(app, OPERATOR_PASSWORD, place="203.0.113.1")

    assert statuses == [401] * 20 + [429] * 5
    assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 900) == (429, True)


TOO_OFTEN = {
    "en": r"Too many tries\. Wait (\d+) s and try again\.",
    "ru": r"Слишком много попыток\. Подождите (\d+) с и повторите\.",
}


@ON_ONE
def test_script_that_signs_in_for_ever_is_told_to_wait_and_stops_nobody_else(two_apps: tuple[Flask, Flask]) -> None:
    statuses = [sign_in(two_apps[number % 2], OPERATOR_PASSWORD).status_code for number in range(70)]
    refused = {language: sign_in(two_apps[0], OPERATOR_PASSWORD, language=language) for language in TOO_OFTEN}

    assert statuses == [303] * 60 + [429] * 10
    for language, answer in refused.items():
        said = re.search(TOO_OFTEN[language], answer.text)
        assert said
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, said[1])
        assert f'value="{OPERATOR_NAME}"' in answer.text
        assert OPERATOR_PASSWORD not in answer.text
    assert sign_in(two_apps[0], OPERATOR_PASSWORD, place="198.51.100.1").status_code == 303
    with two_apps[0].app_context():
        add_operator("Ольга")
        found = Counter(db.session.execute(db.select(AuditEntry.action)).scalars())
    assert sign_in(two_apps[0], OPERATOR_PASSWORD, "Ольга").status_code == 303
    assert (found["sign_in"], found["sign_in.throttled"]) == (61, 1)


def test_sign_ins_that_come_at_once_are_no_more(two_apps: tuple[Flask, Flask]) -> None:
    counted = at_once(64, lambda number: sign_in(two_apps[number % 2], OPERATOR_PASSWORD).status_code)

    assert counted[303] <= 60
    assert set(counted) == {303, 429}
