"""scrypt is slow by design: many passwords at once hold up neither pages nor threads; what was typed is kept."""

import hashlib
import runpy
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from threading import Event, Lock, Semaphore

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Operator, OperatorSession, Throttle
from hikflask.models.accounts import VIEWER
from hikflask.services.accounts import operators, passwords
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, add_operator, client_of

ROOT = Path(__file__).parents[2]
MANY, PATIENCE = 30, 30.0
NEW_PASSWORD = "четыре слова без связи"
CHANGE = {"password": OPERATOR_PASSWORD, "new_password": NEW_PASSWORD, "repeated": NEW_PASSWORD}
BUSY = {
    "en": "The server has too many passwords to check just now. Wait 5 s and try again.",
    "ru": "Сервер сейчас проверяет слишком много паролей. Подождите 5 с и повторите.",
}


class StandingScrypt:
    """scrypt that goes on when the test says so, and counts how many were in it at once."""

    def __init__(self, real: Callable[..., bytes]) -> None:
        self.go_on, self.entered = Event(), Semaphore(0)
        self.calls = self.most = 0
        self._real, self._inside, self._lock = real, 0, Lock()

    def __call__(self, password: bytes, **parameters: object) -> bytes:
        with self._lock:
            self.calls, self._inside = self.calls + 1, self._inside + 1
            self.most = max(self.most, self._inside)
        self.entered.release()
        assert self.go_on.wait(PATIENCE)
        with self._lock:
            self._inside -= 1
        return self._real(password, **{**parameters, "n": 2})


@pytest.fixture
def scrypt(app: Flask, monkeypatch: pytest.MonkeyPatch) -> StandingScrypt:
    """Every scrypt from now on stands still."""
    with app.app_context():
        passwords.fits("", None)
    standing = StandingScrypt(hashlib.scrypt)
    monkeypatch.setattr(hashlib, "scrypt", standing)
    monkeypatch.setattr(passwords, "MAX_WAIT_SECONDS", PATIENCE)
    return standing


@pytest.fixture
def busy(app: Flask, scrypt: StandingScrypt, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All turns are taken, and nobody waits for one any longer."""
    with ThreadPoolExecutor(passwords.AT_ONCE) as pool:
        for number in range(passwords.AT_ONCE):
            pool.submit(sign_in, app, number)
            assert scrypt.entered.acquire(timeout=PATIENCE)
        monkeypatch.setattr(passwords, "MAX_WAIT_SECONDS", 0.0)
        yield
        scrypt.go_on.set()


def sign_in(app: Flask, number: int) -> TestResponse:
    """Try to sign in under a name and from an address of its own."""
    form = {"name": f"Кто-то {number}", "password": "wrong"}
    return app.test_client().post("/sign-in", data=form, headers={"X-Forwarded-For": f"198.51.100.{number}"})


def test_two_are_hashed_at_once_and_who_finds_no_place_hears_so_at_once(app: Flask, scrypt: StandingScrypt) -> None:
    client = client_of(app)
    with ThreadPoolExecutor(MANY) as pool:
        tries = [pool.submit(sign_in, app, number) for number in range(MANY)]
        at_once = list(islice(as_completed(tries, PATIENCE), MANY - passwords.AT_ONCE - passwords.WAITING))
        pages = [client.get(path).status_code for path in ("/health", "/employees/", "/api/users/")]
        standing = (scrypt.calls, scrypt.most)
        scrypt.go_on.set()
        statuses = Counter(one.result().status_code for one in tries)

    assert {one.result().status_code for one in at_once} == {503}
    assert (pages, standing) == ([200, 200, 200], (2, 2))
    assert (statuses, scrypt.calls, scrypt.most) == ({503: 22, 401: 8}, 8, 2)


def test_try_that_nobody_had_time_for_is_not_counted(app: Flask, busy: None) -> None:  # noqa: ARG001
    client = client_of(app, confirmed=False)
    for _ in range(12):
        assert sign_in(app, 99).status_code == 503
        assert client.post("/confirm", data={"password": "wrong"}).status_code == 503

    with app.app_context():
        counts = db.select(Throttle.count).where(
            Throttle.key.in_(["address:198.51.100.99"]) | Throttle.key.startswith("session:")
        )
        assert db.session.execute(counts).scalars().all() == [0, 0]


def test_threads_that_wait_for_a_hash_leave_most_threads_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIKFLASK_THREADS", raising=False)

    threads = runpy.run_path(str(ROOT / "deploy/gunicorn.conf.py"))["threads"]

    assert threads > 2 * (passwords.AT_ONCE + passwords.WAITING)


def assert_busy(answer: TestResponse, language: str, *kept: str) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert [text for text in (BUSY[language], *kept) if text not in answer.text] == []
    assert not any(password in answer.text for password in (OPERATOR_PASSWORD, NEW_PASSWORD))


FORM = {"kept_path": "/employees/", "kept": '[["full_name", "Иван"]]', "next": "/employees/?q=x"}
CARRIED = ('name="kept" value="[[&#34;full_name&#34;, &#34;Иван&#34;]]"', 'name="next" value="/employees/?q=x"')


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("language", BUSY)
class TestSaid:
    """What was typed stays, but for the password."""

    def test_sign_in(self, app: Flask, language: str) -> None:
        form = {**FORM, "name": OPERATOR_NAME, "password": OPERATOR_PASSWORD}

        answer = app.test_client().post("/sign-in", data=form, headers={"Accept-Language": language})

        assert_busy(answer, language, f'value="{OPERATOR_NAME}"', *CARRIED)

    def test_own_password(self, app: Flask, language: str) -> None:
        client, headers = client_of(app, confirmed=False), {"Accept-Language": language}

        confirmed = client.post("/confirm", data={**FORM, "password": OPERATOR_PASSWORD}, headers=headers)
        deed = {"name": "Борис <1>", "role": VIEWER, "own_password": OPERATOR_PASSWORD}
        asked = client.post("/operators/", data=deed, headers=headers)
        changed = client.post("/account/password", data={**FORM, **CHANGE}, headers=headers)

        assert_busy(confirmed, language, *CARRIED)
        assert_busy(asked, language, 'name="name" value="Борис &lt;1&gt;"', f'name="role" value="{VIEWER}"')
        assert_busy(changed, language, *CARRIED)

    def test_operator_who_is_added_or_given_another_password(self, app: Flask, language: str) -> None:
        client, headers = client_of(app), {"Accept-Language": language}
        with app.app_context():
            before = add_operator("Ольга")

        added = client.post("/operators/", data={"name": "Борис <1>", "role": VIEWER}, headers=headers)
        given = client.post(f"/operators/{before.id}/password", headers=headers)

        assert_busy(added, language, 'value="Борис &lt;1&gt;"', f'<option value="{VIEWER}" selected>')
        assert_busy(given, language)
        with app.app_context():
            assert [one.name for one in operators.list_all()] == [OPERATOR_NAME, "Ольга"]
            found = db.session.get_one(Operator, before.id)
            assert (found.password_hash, found.must_change_password) == (before.password_hash, False)
            assert db.session.query(OperatorSession).count() == 1

    def test_first_administrator(self, app: Flask, language: str) -> None:
        with app.app_context():
            form = {"code": operators.setup_code(), "name": "Борис <1>", **CHANGE}

        answer = app.test_client().post("/first-run", data=form, headers={"Accept-Language": language})

        assert_busy(answer, language, 'value="Борис &lt;1&gt;"')


def test_token_is_found_without_scrypt(app: Flask, scrypt: StandingScrypt) -> None:
    client = client_of(app)

    assert client.get("/api/users/").status_code == 200
    assert app.test_client().get("/api/users/", headers={"Authorization": "Bearer hik_wrong"}).status_code == 401
    assert scrypt.calls == 0
