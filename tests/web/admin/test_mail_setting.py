"""The test mail on the page of the addresses for alarms: it goes as alarms do, and the page says what came of it."""

import html
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.simulator.certificate import make_certificate
from tests.processes.processes import free_port
from tests.support.desk import ENGLISH
from tests.support.mail_server import USER, MailServer, mail_server
from tests.support.trail import entries

PAGE = "/administration/settings/MAIL_TO"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Mails are on, without encryption."""
    sent = {"MAIL_FROM": "hikflask@example.com", "MAIL_TO": "anna@example.com, boris@example.com"}
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_TLS": "none", **sent}


@pytest.fixture
def server(app: Flask) -> Iterator[MailServer]:
    """A mail server that the app knows."""
    with mail_server() as running:
        app.config["MAIL_PORT"] = running.port
        yield running


def pressed(client: FlaskClient, language: dict[str, str] | None = None) -> str:
    """Press the button; return the page, without marks of direction."""
    page = client.post(f"{PAGE}/test", headers=language, follow_redirects=True)
    return html.unescape(page.text).translate(dict.fromkeys([0x2068, 0x2069]))


def noted(app: Flask) -> list[Any]:
    """What the audit trail has of test mails."""
    with app.app_context():
        return [entry.after for entry in entries("mail.tested")]


def test_test_mail_goes_to_all_who_get_alarms_in_both_languages(client: FlaskClient, server: MailServer) -> None:
    assert "Send a test mail" in client.get(PAGE, headers=ENGLISH).text
    assert "It goes to the saved addresses: anna@example.com, boris@example.com." in pressed(client, ENGLISH)

    (mail,) = server.mails
    host = socket.gethostname()
    assert server.recipients == [["anna@example.com", "boris@example.com"]]
    assert mail["Subject"] == "hikflask: пробное письмо / test mail"
    assert mail.get_content().replace("\r\n", "\n") == (
        f"Письма о тревогах от hikflask на {host} сюда доходят. Ничего не случилось.\n\n"
        f"Mails about alarms of hikflask on {host} arrive here. Nothing is wrong.\n"
    )


@pytest.mark.usefixtures("server")
def test_page_says_that_the_server_took_the_mail_and_so_does_the_trail(app: Flask, client: FlaskClient) -> None:
    assert "Почтовый сервер принял пробное письмо. Если оно не придёт, поищите его в спаме." in pressed(client)
    taken = "The mail server took the test mail. If it does not arrive, look among spam."
    assert taken in pressed(client, ENGLISH)

    assert noted(app) == [{"address": "anna@example.com, boris@example.com"}] * 2
    assert "Отправка пробного письма" in client.get("/audit/").text


def test_server_that_refuses_a_receiver_or_the_mail_is_quoted(
    app: Flask, client: FlaskClient, server: MailServer
) -> None:
    server.unknown = "boris@example.com"
    one = "The mail server takes no mail for boris@example.com (550 no such user). Correct these addresses."
    assert one in pressed(client, ENGLISH)
    assert server.recipients == [["anna@example.com"]]
    server.unknown, server.refuses = "", True

    assert "Почтовый сервер не принял письмо: 451 try again later." in pressed(client)
    assert "The mail server took no mail: 451 try again later." in pressed(client, ENGLISH)
    assert [entry["reason"] for entry in noted(app)] == ["mail_receivers_refused", "mail_refused", "mail_refused"]
    assert "Почтовый сервер не принял письмо." in html.unescape(client.get("/audit/").text)


def test_server_that_is_away_is_said_with_what_to_correct(app: Flask, client: FlaskClient) -> None:
    port = app.config["MAIL_PORT"] = free_port()

    assert (
        f"Почтовый сервер 127.0.0.1:{port} не пускает программу ([Errno 111] Connection refused). Исправьте "
        "HIKFLASK_MAIL_SERVER, HIKFLASK_MAIL_PORT или HIKFLASK_MAIL_TLS либо откройте к нему доступ с этого сервера."
    ) in pressed(client)
    assert (
        f"The mail server 127.0.0.1:{port} does not let the program in ([Errno 111] Connection refused). Correct "
        "HIKFLASK_MAIL_SERVER, HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this machine reach it."
    ) in pressed(client, ENGLISH)
    assert [entry["reason"] for entry in noted(app)] == ["mail_server_away"] * 2


def test_refused_account_is_said_without_its_password(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate("127.0.0.1")
    (tmp_path / "mail.pem").write_bytes(certificate.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    with mail_server(certificate.context(), "starttls") as server:
        app.config.update(MAIL_PORT=server.port, MAIL_TLS="starttls", MAIL_USER=USER, MAIL_PASSWORD="mail-password-2")
        page = pressed(client, ENGLISH)

    assert "The mail server refuses the program's account (535 5.7.8 Authentication credentials invalid)." in page
    assert "mail-password-2" not in page


def test_sixth_test_mail_within_ten_minutes_is_refused(client: FlaskClient, server: MailServer) -> None:
    for _ in range(5):
        pressed(client)

    assert "Too many tries. Wait " in pressed(client, ENGLISH)
    assert len(server.mails) == 5


@pytest.mark.parametrize("missing", ["MAIL_SERVER", "MAIL_TO"])
def test_there_is_nothing_to_send_without_a_server_or_an_address(
    app: Flask, client: FlaskClient, server: MailServer, missing: str
) -> None:
    app.config[missing] = ""

    assert "test mail" not in pressed(client, ENGLISH).lower()
    assert server.mails == []
