"""Mails about alarms, given to a real mail server: what they say in both languages, and a server that takes none."""

import logging
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from hikflask.background import alarm_mail
from hikflask.extensions import db
from hikflask.labels import alarms
from hikflask.models import Alarm, Backup, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.alarms import mail_server as mail
from hikflask.services.alarms import watch
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator.certificate import make_certificate
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.made_backups import add_backup
from tests.support.mail_server import PASSWORD, USER, MailServer, mail_server
from tests.support.silent_server import silent_server
from tests.test_docs import DOCS, text_of

MOMENT = datetime(2025, 11, 25, 8, 25, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def settings() -> dict[str, Any]:
    """Mails are on, without encryption, and nobody watches backups."""
    sent = {"BACKUP_MAX_AGE": 0, "MAIL_FROM": "hikflask@example.com", "MAIL_TO": "anna@example.com, boris@example.com"}
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_TLS": "none", "TIMEZONE": "Europe/Moscow", **sent}


@pytest.fixture
def server(app: Flask) -> Iterator[MailServer]:
    """A mail server that the app knows."""
    with mail_server() as running:
        app.config["MAIL_PORT"] = running.port
        yield running


def let(**columns: object) -> None:
    """Write to the terminal's row."""
    db.session.execute(db.update(Terminal).values(**columns))
    db.session.commit()


def sweep() -> None:
    """Send what is due, as the worker does in each sweep; mails that wait are due."""
    db.session.execute(db.update(Alarm).values(next_try_at=database_now()))
    db.session.commit()
    if watch.refresh():
        alarm_mail.send_due()
    db.session.commit()


def said(server: MailServer) -> list[tuple[str, str]]:
    """Subject and text of each mail, the earliest first."""
    return [(str(mail["Subject"]), mail.get_content().replace("\r\n", "\n")) for mail in server.mails]


def test_mails_say_what_is_wrong_and_that_it_is_over_in_both_languages(terminal: Terminal, server: MailServer) -> None:
    assert terminal.name == "Вход"
    let(reachable=False, offline_since=MOMENT)
    sweep()
    sweep()
    let(reachable=True, offline_since=None)
    sweep()
    let(refused_since=MOMENT)
    sweep()
    let(refused_since=None)
    sweep()

    silent, silent_over, password, password_over = said(server)
    assert silent == (
        "hikflask: «Вход» не отвечает / “Вход” does not answer",
        "Терминал «Вход» не отвечает больше 1 ч. Проверьте питание и сеть.\n"
        "Начало: 25 ноября 2025 г., 11:25:00\n"
        "Что делать, сказано на странице «Требует внимания».\n"
        "\n"
        "“Вход” has not answered for more than 1 h. Check power and network.\n"
        "Since: 25 November 2025, 11:25:00\n"
        "What to do is on the page “Needs attention”.\n",
    )
    assert silent_over[0] == "hikflask: «Вход» снова отвечает / “Вход” answers again"
    assert re.fullmatch(
        r"«Вход» снова отвечает\nНачало: 25 ноября 2025 г., 11:25:00\nКонец: .+\n\n"
        r"“Вход” answers again\nSince: 25 November 2025, 11:25:00\nOver: .+\n",
        silent_over[1],
    )
    assert password[0] == (
        "hikflask: «Вход» не принял пароль, программа больше ничего ему не отправляет / "
        "“Вход” refused the password, and nothing more is sent to it"
    )
    assert password_over[0] == (
        "hikflask: «Вход»: вход на терминал снова работает / “Вход”: the sign-in there works again"
    )
    assert server.recipients[0] == ["anna@example.com", "boris@example.com"]
    assert (server.mails[0]["From"], server.mails[0]["To"]) == (
        "hikflask@example.com",
        "anna@example.com, boris@example.com",
    )
    assert db.session.query(Alarm).count() == 0


@pytest.mark.parametrize(("language", "name"), [("ru", "Склад"), ("en", "Warehouse")])
@pytest.mark.usefixtures("terminal")
def test_guide_quotes_the_mail_as_it_is(language: str, name: str) -> None:
    let(name=name, reachable=False, offline_since=datetime(2026, 10, 12, 6, 41, tzinfo=UTC))
    watch.refresh()
    alarm = db.session.query(Alarm).one()
    with force_locale(language):
        mail = f"**hikflask: {alarms.mail_subject([alarm])}**\n\n{alarms.mail_body([alarm], [[]])}"
    guide = text_of(DOCS / language / "first-alarm.md").splitlines()

    quoted = [line.removeprefix(">").strip().removesuffix("<br>") for line in guide if line.startswith(">")]
    assert quoted == mail.splitlines()


def test_removals_are_named_by_id_and_not_by_name(terminal: Terminal, server: MailServer) -> None:
    for number in range(100, 122):
        db.session.add(
            Enrolment(
                number=str(number), terminal_id=terminal.id, desired="absent", written_name="Иван Иванов",
                desired_since=MOMENT, next_attempt_at=database_now(900),
            )
        )  # fmt: skip
    db.session.commit()
    sweep()
    db.session.execute(db.update(Enrolment).values(person="confirmed"))
    db.session.commit()
    sweep()

    begun, over = said(server)
    named = ", ".join(str(number) for number in range(100, 120))
    assert begun[0] == "hikflask: «Вход»: доступ не снят / “Вход”: access not withdrawn"
    assert begun[1].splitlines()[0] == (
        f"Терминал «Вход» больше 4 ч не подтверждает удаление. Ещё могут открыть двери ID: {named}, …."
    )
    assert begun[1].splitlines()[4] == (
        f"“Вход” has not confirmed removals for more than 4 h. These IDs may still open doors: {named}, …."
    )
    assert over[0] == "hikflask: «Вход»: доступ снят / “Вход”: access withdrawn"
    assert "Иван" not in begun[1] + over[1]


def test_backup_that_is_missed_and_made_again_is_told(app: Flask, server: MailServer) -> None:
    app.config["BACKUP_MAX_AGE"] = 48
    made = add_backup(hours=0)
    db.session.execute(db.update(Backup).values(finished_at=MOMENT))
    db.session.commit()
    sweep()
    sweep()
    add_backup(hours=0)
    sweep()
    sweep()

    begun, over = said(server)
    assert made.id == 1
    assert begun == (
        "hikflask: нет резервной копии / no backup",
        "Последняя резервная копия старше 48 ч, в ней не все фото или её нет.\n"
        "Начало: 25 ноября 2025 г., 11:25:00\n"
        "Что делать, сказано на странице «Требует внимания».\n"
        "\n"
        "The last backup is older than 48 h or lacks photos, or there is none.\n"
        "Since: 25 November 2025, 11:25:00\n"
        "What to do is on the page “Needs attention”.\n",
    )
    assert over[0] == "hikflask: резервная копия сделана / a backup was made"


def test_terminal_that_is_put_out_of_use_is_not_said_to_answer(terminal: Terminal, server: MailServer) -> None:
    assert terminal.is_active
    let(reachable=False, offline_since=MOMENT)
    sweep()
    let(is_active=False)
    sweep()

    assert said(server)[1][0] == "hikflask: «Вход» больше не используется / “Вход” is not in use any more"


def test_name_of_a_terminal_is_neither_header_nor_address_nor_the_end_of_a_mail(
    client: FlaskClient, terminal: Terminal, server: MailServer
) -> None:
    assert terminal.name == "Вход"
    device = {"url": "http://192.168.1.65", "username": "admin", "password": "x"}
    evil = 'Вход" <eve@example.com>, =?utf-8?q?x=0D=0ABcc:?= eve@example.com'
    for name in ("Вход\r\nBcc: eve@example.com", "Вход\r\n.\r\nRCPT TO:<eve@example.com>"):
        assert client.post("/api/devices/", json={**device, "name": name}).status_code == 422
    let(name=evil, refused_since=MOMENT)
    sweep()

    (mail,) = server.mails
    assert server.recipients == [["anna@example.com", "boris@example.com"]]
    assert sorted(mail.keys()) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "From", "MIME-Version", "Subject", "To"
    ]  # fmt: skip
    assert str(mail["Subject"]).startswith(f"hikflask: «{evil}» не принял пароль")
    assert mail.get_content().startswith(f"«{evil}» не принял пароль")


def test_server_that_is_away_or_takes_nothing_loses_no_mail_and_stops_no_worker(
    app: Flask, terminal: Terminal, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    assert terminal.is_active
    port, app.config["MAIL_PORT"] = app.config["MAIL_PORT"], 9
    let(refused_since=MOMENT)
    sweep()
    app.config["MAIL_PORT"], server.refuses = port, True
    sweep()
    assert db.session.execute(db.select(Alarm.tries, Alarm.told_at)).one() == (2, None)
    server.refuses = False
    sweep()

    assert len(server.mails) == 1
    assert [record.getMessage() for record in caplog.records if "mail" in record.getMessage()] == [
        "the mail about password:1 was not sent (ConnectionRefusedError)",
        "the mail about password:1 was not sent (SMTPDataError)",
    ]


@pytest.mark.parametrize(
    ("way", "password", "is_trusted"),
    [
        ("starttls", PASSWORD, True),
        ("tls", PASSWORD, True),
        ("starttls", PASSWORD, False),
        ("starttls", "mail-password-2", True),
    ],
)
def test_password_is_sent_encrypted_to_a_server_whose_certificate_is_trusted(
    app: Flask,
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    way: str,
    password: str,
    is_trusted: bool,
) -> None:
    assert terminal.is_active
    caplog.set_level(logging.DEBUG)
    certificate = make_certificate("127.0.0.1")
    if is_trusted:
        (tmp_path / "mail.pem").write_bytes(certificate.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
    with mail_server(certificate.context(), way) as server:
        app.config.update(MAIL_PORT=server.port, MAIL_TLS=way, MAIL_USER=USER, MAIL_PASSWORD=password)
        let(refused_since=MOMENT)
        sweep()

    assert len(server.mails) == (is_trusted and password == PASSWORD)
    assert password not in caplog.text


@pytest.mark.usefixtures("terminal")
def test_server_that_never_ends_its_answer_is_given_up_in_time(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(mail, "TOTAL_SECONDS", 0.2)
    began = time.monotonic()
    with silent_server(b"2") as server:
        app.config["MAIL_PORT"] = server.port
        let(refused_since=MOMENT)
        sweep()

    assert time.monotonic() - began < 10
    assert "was not sent (SMTPConnectError)" in caplog.text


def test_little_space_on_the_disk_is_mailed_with_the_folder_and_what_is_free(
    server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_free(monkeypatch, GIGABYTE)
    sweep()
    let_be_free(monkeypatch, 50 * GIGABYTE)
    sweep()

    (subject, text), over = said(server)
    assert subject == "hikflask: на диске мало места / little disk space left"
    russian, english = text.replace("\xa0", " ").split("\n\n")
    assert russian.splitlines()[0] == (
        f"На диске {socket.gethostname()} мало места. Когда оно закончится, сохранить ничего не получится. "
        f"{tmp_path}: свободно 1 024 МБ из 102 400 МБ."
    )
    assert english.splitlines()[0] == (
        f"Little space is left on the disk of {socket.gethostname()}. Once it is full, nothing can be saved. "
        f"{tmp_path}: 1,024 MB of 102,400 MB are free."
    )
    assert over[0] == "hikflask: на диске снова достаточно места / there is enough disk space again"


def test_terminals_that_became_silent_together_are_one_mail_that_names_each(
    terminal: Terminal, server: MailServer
) -> None:
    assert terminal.name == "Вход"
    registry.add(Access("Склад", "http://store.test", "admin", "x"))
    let(reachable=False, offline_since=MOMENT)
    sweep()
    assert server.mails == []
    sweep()
    let(reachable=True, offline_since=None)
    sweep()
    sweep()

    (subject, text), over = said(server)
    assert subject == (
        "hikflask: «Вход» не отвечает (и ещё терминалов: 1) / “Вход” does not answer (and more terminals: 1)"
    )
    assert text.split("\n\n")[1] == (
        "“Вход” has not answered for more than 1 h. Check power and network.\n"
        "Since: 25 November 2025, 11:25:00\n"
        "“Склад” has not answered for more than 1 h. Check power and network.\n"
        "Since: 25 November 2025, 11:25:00\n"
        "What to do is on the page “Needs attention”.\n"
    )
    assert over[0] == (
        "hikflask: «Вход» снова отвечает (и ещё терминалов: 1) / “Вход” answers again (and more terminals: 1)"
    )
    assert db.session.query(Alarm).count() == 0


def test_mail_about_several_terminals_that_no_server_took_is_tried_again_for_all(
    terminal: Terminal, server: MailServer
) -> None:
    assert terminal.is_active
    registry.add(Access("Склад", "http://store.test", "admin", "x"))
    let(reachable=False, offline_since=MOMENT)
    server.refuses = True
    sweep()
    sweep()
    assert db.session.execute(db.select(Alarm.tries, Alarm.told_at)).all() == [(1, None)] * 2
    server.refuses = False
    sweep()

    assert len(server.mails) == 1
