"""The pages of webhooks: added with a secret that is shown once, tested, read, switched off, deleted."""

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import WebhookDelivery
from hikflask.services.webhooks import deliveries
from tests.support.receivers import receiving

ENGLISH = {"Accept-Language": "en"}


def test_webhook_is_added_tested_read_sent_again_switched_off_and_deleted(app: Flask, client: FlaskClient) -> None:
    with receiving(status=500) as receiver:
        added = client.post("/webhooks/", data={"url": receiver.url, "enrolled": "y", "removed": "y"}, headers=ENGLISH)
        assert added.status_code == 200
        assert added.headers["Cache-Control"] == "no-store"
        secret = added.text.split('id="secret">')[1].split("<")[0]
        said = "This secret is shown once. Copy it now: the receiver checks the signature of each message with it."
        assert said in added.text
        assert secret not in client.get("/webhooks/1").text
        client.post("/webhooks/1/test")
        assert "not sent yet" in client.get("/webhooks/1", headers=ENGLISH).text
        with app.app_context():
            deliveries.send_next(1)
        page = client.get("/webhooks/1", headers=ENGLISH).text
        assert "Test" in page
        assert "answered 500 · next try " in page
        with app.app_context():
            db.session.execute(db.update(WebhookDelivery).values(next_attempt_at=None))
            db.session.commit()
        assert "ответ 500 · попытки прекращены" in client.get("/webhooks/1").text
        for said in ("1 сообщение отправляется снова.", "0 сообщений отправляются снова."):
            assert said in client.post("/webhooks/1/given-up", follow_redirects=True).text
        again = client.post("/webhooks/1/given-up", headers=ENGLISH, follow_redirects=True).text
        assert "0 messages are sent again." in again
        assert "Send again what was given up" in again
        with app.app_context():
            db.session.execute(db.update(WebhookDelivery).values(next_attempt_at=None))
            db.session.commit()
        # So after a restore, too, where it was not tried yet.
        with app.app_context():
            db.session.execute(db.update(WebhookDelivery).values(attempts=0, status=None))
            db.session.commit()
        assert "попытки прекращены" in (page := client.get("/webhooks/1").text)
        assert "ответ 500" not in page
        receiver.status = 200
        assert client.post("/webhooks/1/deliveries/1/send").location == "/webhooks/1"
        with app.app_context():
            deliveries.send_next(1)
        assert "answered" not in (page := client.get("/webhooks/1", headers=ENGLISH).text)
        assert re.search(r"taken <time [^>]+>just now</time>", page)

    assert len({json.loads(one.body)["delivery"] for one in receiver.got}) == 1 < len(receiver.got)
    client.post("/webhooks/1/active", data={"on": "0"})
    listed = client.get("/webhooks/", headers=ENGLISH).text
    assert "Enrolled, Removed" in listed
    assert "switched off" in listed
    client.post("/webhooks/1/active", data={"on": "1"})
    assert "switched off" not in client.get("/webhooks/", headers=ENGLISH).text
    client.post("/webhooks/1/delete")
    assert client.get("/webhooks/1").status_code == 404
    for action in ("test", "active", "delete"):
        answer = client.post(f"/webhooks/1/{action}", headers=ENGLISH, follow_redirects=True)
        assert "There is no such webhook any more." in answer.text


def test_message_is_sent_again_by_its_own_webhook_alone(app: Flask, client: FlaskClient) -> None:
    for port in (1, 2):
        client.post("/webhooks/", data={"url": f"http://127.0.0.1:{port}/", "enrolled": "y"})
    client.post("/webhooks/1/test")
    with app.app_context():
        deliveries.send_next(1)
    for address in ("/webhooks/2/deliveries/1/send", "/webhooks/1/deliveries/2/send", "/webhooks/9/deliveries/1/send"):
        assert client.post(address).status_code == 404

    assert "no answer" in client.get("/webhooks/1", headers=ENGLISH).text
    assert client.post("/webhooks/1/deliveries/1/send").location == "/webhooks/1"
    assert "no answer" not in client.get("/webhooks/1", headers=ENGLISH).text


def test_bad_address_and_no_event_are_refused_with_what_was_typed(client: FlaskClient) -> None:
    for url in ("", "hr.example", "ftp://hr.example", "https://user:secret@hr.example/", "https://hr.example/#x"):
        answer = client.post("/webhooks/", data={"url": url, "enrolled": "y"}, headers=ENGLISH)
        assert answer.status_code == 422, url
        assert "“Address” must look like https://hr.example/path." in answer.text
        assert f'value="{url}"' in answer.text
    answer = client.post("/webhooks/", data={"url": "http://8.8.8.8/", "enrolled": "y"}, headers=ENGLISH)
    said = "Programs may not be told at this address: use https, or let an administrator allow its network."
    assert (answer.status_code, said in answer.text) == (422, True)
    none = client.post("/webhooks/", data={"url": "https://127.0.0.1/"}, headers=ENGLISH)
    assert (none.status_code, "Choose at least one event." in none.text) == (422, True)
    russian = client.post("/webhooks/", data={"url": "http://8.8.8.8/", "enrolled": "y"}).text
    assert "Этот адрес не разрешён: укажите https, или пусть администратор разрешит его сеть." in russian


def test_passages_are_offered_while_they_are_on(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = "Passage: somebody passed, or was not let in"
    assert label not in client.get("/webhooks/", headers=ENGLISH).text
    monkeypatch.setitem(app.config, "PASSAGES", "poll")
    assert label in client.get("/webhooks/", headers=ENGLISH).text

    client.post("/webhooks/", data={"url": "http://127.0.0.1:9/", "passage": "y"})

    assert client.get("/webhooks/1", headers=ENGLISH).text.count('<p class="lead">Passage</p>') == 1
