"""Guessing: tries are counted in the database, so no second process and no hurry gets around the limit."""

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
from hikflask.services import throttling
from hikflask.services.admission_errors import TooOften
from tests.conftest import close
from tests.postgresql import Cluster
from tests.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator, client_of

KINDS = ["sqlite", "postgresql"]


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


def sign_in(app: Flask, password: str = "wrong", name: str = OPERATOR_NAME) -> Any:
    return app.test_client().post("/sign-in", data={"name": name, "password": password})


def at_once(times: int, work: Callable[[int], object]) -> Counter[object]:
    """Do something so many times at once, and count what came of it."""
    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(work, range(times)))


@pytest.mark.usefixtures("quick_passwords")
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
                throttling.take("account:x", 12, 900.0)
            except TooOften:
                return "refused"
            finally:
                db.session.remove()
        return "taken"

    assert at_once(20, take) == {"taken": 12, "refused": 8}
    with two_apps[0].app_context():
        assert db.session.execute(db.select(Throttle.count).where(Throttle.key == "account:x")).scalar_one() == 20


@pytest.mark.usefixtures("quick_passwords")
def test_hurry_gets_no_more_tries(two_apps: tuple[Flask, Flask]) -> None:
    assert at_once(20, lambda number: sign_in(two_apps[number % 2]).status_code) == {401: 10, 429: 10}


@pytest.mark.usefixtures("quick_passwords")
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


@pytest.mark.usefixtures("quick_passwords")
def test_open_session_is_no_way_to_guess_its_password(app: Flask) -> None:
    client = client_of(app, confirmed=False)
    forms = [("/confirm", {"password": "wrong"}), ("/operators/", {"own_password": "wrong"})] * 3
    forms += [("/account/password", {"password": "wrong", "new_password": "x" * 12, "repeated": "x" * 12})] * 4
    forms += [("/sign-in", {"name": OPERATOR_NAME, "password": "wrong"}), ("/confirm", {"password": OPERATOR_PASSWORD})]

    answers = [client.post(path, data=form) for path, form in forms]

    assert [answer.status_code for answer in answers] == [422] * 10 + [429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 900


@pytest.mark.usefixtures("context")
def test_window_that_is_over_begins_anew_and_a_clock_set_back_closes_nothing() -> None:
    for back in (901.0, -86400.0):
        for _ in range(3):
            throttling.take("account:x", 3, 900.0)
        with pytest.raises(TooOften) as caught:
            throttling.take("account:x", 3, 900.0)
        assert caught.value.params["seconds"] in {899, 900}

        db.session.execute(db.update(Throttle).values(since=throttling.database_now(-back)))
        db.session.commit()
        throttling.take("account:x", 3, 900.0)
        throttling.forget("account:x")
