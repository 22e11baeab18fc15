"""Idempotency-Key: a call that is sent again is done once and answered as the first time."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import String, cast
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import IdempotencyKey, Terminal
from hikflask.models.columns import database_now
from hikflask.services.employees import erasure
from hikflask.simulator import Terminal as Simulated
from tests.conftest import NobodyComes
from tests.support.api_calls import IVANS_FACE, a_user
from tests.support.retention import DAY, age, forget
from tests.support.signed_in import client_of

pytestmark = pytest.mark.both_databases

KEY = "order-17"


def send(client: FlaskClient, body: Any = None, key: str = KEY, path: str = "/api/users/") -> TestResponse:
    return client.post(path, json=a_user() if body is None else body, headers={"Idempotency-Key": key})


def users(client: FlaskClient) -> int:
    return int(client.get("/api/users/").headers["X-Total-Count"])


def is_replayed(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotency-Replayed") == "true"


def refused(answer: TestResponse) -> tuple[int, str, str]:
    return answer.status_code, answer.get_json()["error"], answer.get_json()["message"]


@pytest.fixture
def running(app: Flask, client: FlaskClient) -> Iterator[FlaskClient]:
    """The call has done its work, and its answer is not written yet, as when its process is killed at this moment."""
    assert send(client).status_code == 201
    with app.app_context():
        db.session.execute(db.update(IdempotencyKey).values(answer=None))
        db.session.commit()
        yield client


def test_first_answer_comes_again_whatever_it_was(client: FlaskClient) -> None:
    for number, body in enumerate((a_user(), a_user(full_name="Пётр"), a_user(full_name=""))):
        first, again = send(client, body, f"key-{number}"), send(client, body, f"key-{number}")

        assert first.status_code == (201, 409, 422)[number]
        assert (again.status_code, again.data, again.mimetype) == (first.status_code, first.data, "application/json")
        assert is_replayed(again)
        assert not is_replayed(first)
    assert users(client) == 1


def test_key_belongs_to_one_request_and_one_caller(app: Flask, client: FlaskClient) -> None:
    send(client)
    sentence = "This Idempotency-Key came with another request before. Use a new one."

    other = send(client, a_user(full_name="Пётр"))

    assert refused(other) == (422, "idempotency_key_reused", sentence)
    assert other.get_json()["fields"] == {"Idempotency-Key": sentence}
    assert refused(send(client, path="/api/groups/"))[:2] == (422, "idempotency_key_reused")
    assert refused(send(client_of(app)))[:2] == (409, "number_known")
    assert is_replayed(send(client))


def test_key_that_is_none_is_refused_by_its_name(client: FlaskClient) -> None:
    for key in ["", " ", "ключ".encode().decode("latin-1"), "a b", "x" * 256]:
        answer = send(client, key=key)

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"Idempotency-Key"})
        assert users(client) == 0


def test_form_with_files_is_the_same_whatever_its_boundary(client: FlaskClient) -> None:
    def upload(table: str, boundary: str) -> TestResponse:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        body = f"{head}{table}\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        headers = {"Idempotency-Key": KEY, "Content-Type": kind}
        return client.post(
            "/api/users/import", input_stream=io.BytesIO(body), content_length=len(body), headers=headers
        )

    first = upload("ID,ФИО\n1,Иван\n", "aaa")

    assert (first.status_code, first.get_json()["new"]) == (200, 1)
    assert upload("ID,ФИО\n1,Иван\n", "bbb").json == first.json
    assert refused(upload("ID,ФИО\n2,Пётр\n", "bbb"))[:2] == (422, "idempotency_key_reused")


def test_failure_is_not_kept_so_the_call_is_done_when_it_is_sent_again(
    client: FlaskClient, terminal: Terminal, simulator: Simulated, nobody_comes: NobodyComes
) -> None:
    path = f"/api/devices/{terminal.id}/start-face-capture"
    with nobody_comes():
        assert send(client, {"hikvision_id": "1"}, path=path).status_code == 504
    simulator.present_alone(IVANS_FACE)

    taken = send(client, {"hikvision_id": "1"}, path=path)

    assert (taken.status_code, is_replayed(taken)) == (200, False)
    again = send(client, {"hikvision_id": "1"}, path=path)
    assert (again.json, is_replayed(again)) == (taken.json, True)
    assert again.headers["X-Warning"] == taken.headers["X-Warning"] == "consent_missing"


def test_while_the_first_call_runs_the_second_is_told_to_wait(running: FlaskClient) -> None:
    answer = send(running)

    sentence = "The first request with this Idempotency-Key is not finished yet. Ask again."
    assert refused(answer) == (409, "idempotency_running", sentence)
    assert answer.headers["Retry-After"] == "5"
    assert refused(send(running, a_user(full_name="Пётр")))[:2] == (422, "idempotency_key_reused")


def test_after_a_crash_the_call_may_be_sent_again_and_does_nothing_twice(running: FlaskClient) -> None:
    age(IdempotencyKey, "claimed_until", 1)

    answer = send(running)

    assert refused(answer)[:2] == (409, "number_known")
    assert users(running) == 1
    again = send(running)
    assert (again.json, is_replayed(again)) == (answer.json, True)


def test_answers_are_encrypted_and_gone_once_somebody_is_erased(app: Flask, client: FlaskClient) -> None:
    first = send(client)
    with app.app_context():
        (row,) = db.session.execute(db.select(cast(IdempotencyKey.answer, String), IdempotencyKey.fingerprint)).all()
        assert "100222" not in row[0]
        assert "hikvision_id" not in row[0]
        erasure.erase_employee(first.get_json()["id"])

    answer = send(client)

    sentence = "This was done already, but its answer is not kept any more. Read what came of it."
    assert refused(answer) == (409, "idempotency_answer_gone", sentence)
    assert users(client) == 0


def test_key_is_kept_for_a_day(app: Flask, client: FlaskClient) -> None:
    def count() -> int:
        return int(db.session.execute(db.select(db.func.count(IdempotencyKey.id))).scalar_one())

    send(client)
    with app.app_context():
        age(IdempotencyKey, "created_at", DAY - 60)
        forget()
        assert count() == 1
    assert is_replayed(send(client))
    with app.app_context():
        age(IdempotencyKey, "created_at", DAY + 60)
    assert refused(send(client))[:2] == (409, "number_known")
    with app.app_context():
        db.session.execute(db.update(IdempotencyKey).values(created_at=database_now(-DAY - 60)))
        forget()
        assert count() == 0


def test_without_a_key_and_for_other_methods_nothing_is_kept(app: Flask, client: FlaskClient) -> None:
    client.post("/api/users/", json=a_user())
    client.put("/api/users/1", json={"department": "Склад"}, headers={"Idempotency-Key": KEY})
    client.get("/api/users/", headers={"Idempotency-Key": KEY})

    with app.app_context():
        assert db.session.execute(db.select(IdempotencyKey.id)).all() == []
