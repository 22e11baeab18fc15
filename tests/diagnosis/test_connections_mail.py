"""What is said of the mail server."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask.diagnosis import Finding, connections, good, wrong
from hikflask.simulator.certificate import make_certificate
from tests.processes.processes import free_port
from tests.support.mail_server import USER, mail_server

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def settings() -> dict[str, Any]:
    """Mails are on, without encryption."""
    sent = {"MAIL_FROM": "hikflask@example.com", "MAIL_TO": "anna@example.com"}
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_TLS": "none", **sent}


def told() -> list[Finding]:
    return list(connections.check_mail())


def test_server_that_lets_us_in_gets_no_mail(app: Flask) -> None:
    with mail_server() as server:
        app.config["MAIL_PORT"] = server.port

        assert told() == [good(f"The mail server 127.0.0.1:{server.port} lets us in.")]
        assert server.mails == []


def test_server_that_is_away_or_refuses_us_is_said(app: Flask) -> None:
    port = app.config["MAIL_PORT"] = free_port()
    away = told()
    with mail_server() as server:
        app.config.update(MAIL_PORT=server.port, MAIL_TLS="starttls")
        unlike = told()

    cure = (
        "so no alarm is mailed: correct HIKFLASK_MAIL_SERVER, HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this "
        "machine reach it."
    )
    assert away == [
        wrong(f"The mail server 127.0.0.1:{port} does not let us in ([Errno 111] Connection refused), {cure}")
    ]
    assert unlike == [
        wrong(
            f"The mail server 127.0.0.1:{server.port} does not let us in (STARTTLS extension not supported by "
            f"server.), {cure}"
        )
    ]


def test_refused_account_is_said(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate("127.0.0.1")
    (tmp_path / "mail.pem").write_bytes(certificate.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    with mail_server(certificate.context(), "starttls") as server:
        app.config.update(MAIL_PORT=server.port, MAIL_TLS="starttls", MAIL_USER=USER, MAIL_PASSWORD="mail-password-2")

        assert told() == [
            wrong(
                f"The mail server 127.0.0.1:{server.port} refuses our account, so no alarm is mailed: correct "
                "HIKFLASK_MAIL_USER and HIKFLASK_MAIL_PASSWORD."
            )
        ]


def test_nothing_is_said_where_no_mails_are_sent(app: Flask) -> None:
    app.config["MAIL_SERVER"] = ""

    assert told() == []
