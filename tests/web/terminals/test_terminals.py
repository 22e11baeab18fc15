"""The pages of terminals."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from hikflask import messages
from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.desk import ENGLISH, TODAY, Desk
from tests.support.signed_in import client_of

FINGERPRINT = "ab" * 32
PASSWORD_NEEDED = "Сохранённый пароль относится к прежним адресу и сертификату. Введите пароль терминала ещё раз."


def typed(**changed: str) -> dict[str, str]:
    return {
        "name": "Склад", "url": "http://192.168.1.65", "username": "admin", "password": "Abc12345",
        "fingerprint": "", "is_active": "y", **changed,
    }  # fmt: skip


def test_a_terminal_is_added_and_checked_by_a_job(
    client: FlaskClient, simulator: Simulated, run_jobs: Callable[[], int]
) -> None:
    place = client.post("/terminals/", data=typed(url="http://terminal.test/", password=PASSWORD)).location
    run_jobs()
    page = client.get(place).text
    assert "DS-K1T343EFWX" in page
    assert len(re.findall(rf'0 из [\d ]+ <span class="row-about">на {TODAY}</span>', page)) == 2
    assert "DS-K1T343EFWX" in client.get("/terminals/").text
    assert simulator.wrong_passwords == 0


def test_counts_say_what_is_in_them_and_the_last_contact_is_the_last_answer(desk: Desk, app: Flask) -> None:
    checked, synced, answered = (datetime(2020, 1, 5, hour, 30, tzinfo=UTC) for hour in (8, 9, 10))
    app.config["TIMEZONE"] = "UTC"
    with app.app_context():
        counted = {"people": 3, "people_capacity": 10, "faces": 2, "face_capacity": 10, "checked_at": checked}
        db.session.execute(db.update(Terminal).values(**counted, last_sync=synced, answered_at=answered))
        db.session.commit()

    languages = ({"Accept-Language": language} for language in ("en", "ru"))

    english, russian = (desk.client.get("/terminals/1", headers=headers).text for headers in languages)

    english, russian = (re.sub("</?time[^>]*>", "", page) for page in (english, russian))

    assert english.count("08:30 on 5 January 2020, with this program's changes until 09:30 on 5 January 2020<") == 2
    assert russian.count("на 08:30 5 января 2020 года, с изменениями программы до 09:30 5 января 2020 года<") == 2
    assert "<dt>Last contact</dt><dd>on 5 January 2020 at 10:30</dd>" in english
    assert "<dt>Последняя связь</dt><dd>5 января 2020 г. в 10:30</dd>" in russian


def test_the_password_never_comes_back(client: FlaskClient, app: Flask) -> None:
    place = client.post("/terminals/", data=typed()).location
    pages = [client.get(address).text for address in (place, f"{place}/edit", "/terminals/")]
    refused = client.post("/terminals/", data=typed(url="nonsense")).text
    assert all("Abc12345" not in page for page in [*pages, refused])
    with app.app_context():
        assert "Abc12345" not in registry.list_all()[0].password_encrypted


def test_bad_input_names_the_field(client: FlaskClient, app: Flask) -> None:
    for field, value, sentence in [
        ("name", "", "Поле «Название» не должно быть пустым"),
        ("name", "я" * 65, "Поле «Название» слишком длинное"),
        ("url", "192.168.1.64/ISAPI", "Поле «Адрес» должно выглядеть как"),
        ("url", "ftp://192.168.1.64", "Поле «Адрес» должно выглядеть как"),
        ("url", "http://admin:x@192.168.1.64", "Поле «Адрес» должно выглядеть как"),
        ("url", "http://192.168.1.64/ISAPI", "Поле «Адрес» должно выглядеть как"),
        ("url", "http://192.168.1.64?", "Поле «Адрес» должно выглядеть как"),
        ("url", "http://192.168.1.64:99999", "Поле «Адрес» должно выглядеть как"),
        ("url", "http://[::1", "Поле «Адрес» должно выглядеть как"),
        ("username", "", "Поле «Учётная запись» не должно быть пустым"),
        ("password", "", "Поле «Пароль» не должно быть пустым"),
        ("fingerprint", "12:34", "Поле «Отпечаток сертификата»: 64"),
    ]:
        answer = client.post("/terminals/", data=typed(**{field: value}))
        assert answer.status_code == 422
        assert sentence in answer.text
        with app.app_context():
            assert registry.list_all() == []


@pytest.mark.parametrize(
    ("url", "completed"),
    [
        (" 127.0.0.1:8182/ ", "http://127.0.0.1:8182"),
        ("Terminal.Test:80", "http://terminal.test:80"),
        ("[fd00::1]:80", "http://[fd00::1]:80"),
        ("192.168.1.64:443", "https://192.168.1.64:443"),
    ],
)
def test_address_gets_its_scheme(client: FlaskClient, url: str, completed: str) -> None:
    refused = client.post("/terminals/", data=typed(url=url, name="", fingerprint=FINGERPRINT))

    assert refused.status_code == 422
    assert f'value="{completed}"' in refused.text
    added = client.post("/terminals/", data=typed(url=url, fingerprint=FINGERPRINT)).location
    assert f"<dd>{completed}</dd>" in client.get(added).text


def test_an_address_that_may_not_be_connected_to_is_refused_at_its_field(app: Flask, desk: Desk) -> None:
    for url in ["http://169.254.169.254", "https://169.254.169.254", "http://[fe80::1]:80"]:
        for place in ["/terminals/", "/terminals/1"]:
            answer = desk.client.post(place, data=typed(url=url))
            with app.app_context(), force_locale("ru"):
                sentence = messages.sentence("terminal_address_refused")
                assert [terminal.url for terminal in registry.list_all()] == ["http://terminal.test"]
            assert answer.status_code == 422
            assert sentence in answer.text


def test_only_an_administrator_is_told_which_setting_allows_networks(app: Flask, desk: Desk) -> None:
    app.config["TERMINAL_NETWORKS"] = (ip_network("192.168.1.0/24"),)
    refused = desk.client.post("/terminals/", data=typed(url="http://192.168.2.64"), headers=ENGLISH).text
    with app.app_context():
        db.session.execute(db.update(Terminal).values(last_error_code="address_refused"))
        db.session.commit()

    admin = desk.client.get("/terminals/1", headers=ENGLISH).text
    operator = client_of(app, OPERATOR).get("/terminals/1", headers=ENGLISH).text

    assert (
        "This address is not in a network of HIKFLASK_TERMINAL_NETWORKS. Correct it, or add its network there."
    ) in refused
    assert "Networks are allowed by the setting HIKFLASK_TERMINAL_NETWORKS." in admin
    assert "or let an administrator allow its network." in operator
    assert "HIKFLASK_TERMINAL_NETWORKS" not in operator


def test_http_address_is_refused_at_its_field_where_https_is_required(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_REQUIRE"] = ("https",)

    answer = client.post("/terminals/", data=typed())

    assert answer.status_code == 422
    assert "Здесь разрешён только https. Введите адрес, который начинается с https://." in answer.text
    with app.app_context():
        assert registry.list_all() == []


def test_another_address_asks_for_the_password_again_and_keeps_what_was_typed(app: Flask, desk: Desk) -> None:
    answer = desk.client.post("/terminals/1", data=typed(url="http://other.test", password=""))

    assert answer.status_code == 422
    assert PASSWORD_NEEDED in answer.text
    assert 'value="http://other.test"' in answer.text
    with app.app_context():
        assert [terminal.url for terminal in registry.list_all()] == ["http://terminal.test"]


def test_new_certificate_is_accepted_with_the_password_in_one_form(client: FlaskClient, app: Flask) -> None:
    with SimulatorServer(Simulated(PASSWORD), https=True) as server:
        pin, changed = server.fingerprint or "", typed(url=server.url, password="")
        client.post("/terminals/", data=typed(url=server.url, fingerprint="ab" * 32))

        shown = client.post("/terminals/fingerprint", data={**changed, "terminal_id": "1"})
        without = client.post("/terminals/1", data={**changed, "fingerprint": pin})

    assert (shown.status_code, without.status_code) == (422, 422)
    for answer in (shown, without):
        assert f'value="{pin}"' in answer.text
        assert PASSWORD_NEEDED in answer.text
        assert "Оставьте пароль пустым" not in answer.text
    assert "Принять отпечаток и сохранить" in shown.text
    with app.app_context():
        assert [terminal.fingerprint for terminal in registry.list_all()] == ["ab" * 32]
    assert client.post("/terminals/1", data={**changed, "fingerprint": pin, "password": "Abc1"}).status_code == 303
    with app.app_context():
        assert [terminal.fingerprint for terminal in registry.list_all()] == [pin]


def test_certificate_that_is_the_accepted_one_asks_for_no_password(client: FlaskClient) -> None:
    with SimulatorServer(Simulated(PASSWORD), https=True) as server:
        known = typed(url=server.url, fingerprint=server.fingerprint or "")
        client.post("/terminals/", data=known)

        shown = client.post("/terminals/fingerprint", data={**known, "password": "", "terminal_id": "1"})

    assert PASSWORD_NEEDED not in shown.text
    assert "Введите пароль ещё раз" not in shown.text


def test_a_known_name_is_a_conflict(desk: Desk) -> None:
    answer = desk.client.post("/terminals/", data=typed(name="Вход"))
    assert answer.status_code == 409
    assert "Терминал с таким названием уже есть." in answer.text


def test_an_https_terminal_shows_its_fingerprint_before_it_is_added(client: FlaskClient, app: Flask) -> None:
    with SimulatorServer(Simulated(PASSWORD), https=True) as server:
        answer = client.post("/terminals/", data=typed(url=server.url))
        assert answer.status_code == 422
        assert f'value="{server.fingerprint}"' in answer.text
        assert "Принять отпечаток и сохранить" in answer.text
        accepted = client.post("/terminals/", data=typed(url=server.url, fingerprint=server.fingerprint or ""))
    assert accepted.status_code == 303
    with app.app_context():
        assert registry.list_all()[0].fingerprint == server.fingerprint


def test_an_https_address_that_shows_no_certificate_says_so(client: FlaskClient) -> None:
    answer = client.post("/terminals/fingerprint", data=typed(url="https://127.0.0.1:9"))
    assert answer.status_code == 422
    assert "По этому адресу сертификата нет" in answer.text


def test_a_fingerprint_is_taken_with_colons_and_capitals(client: FlaskClient, app: Flask) -> None:
    written = ":".join(["AB"] * 32)
    client.post("/terminals/", data=typed(url="https://192.168.1.64", fingerprint=written))
    with app.app_context():
        assert registry.list_all()[0].fingerprint == FINGERPRINT


def test_an_empty_password_keeps_the_stored_one(desk: Desk) -> None:
    data = typed(name="Вход 2", url="http://terminal.test", password="")
    desk.client.post("/terminals/1", data=data)
    answer = desk.client.post("/terminals/1/check")
    page = desk.text(answer.location)
    assert "Вход 2" in page
    assert desk.simulator.wrong_passwords == 0


def test_refusal_without_end_does_not_outgrow_the_cookie_that_carries_it(desk: Desk) -> None:
    told = secrets.token_hex(10_000)
    desk.simulator.faults.add("refuse", path="System/deviceInfo", argument="badParameters", message=told)
    answer = desk.client.post("/terminals/1/check")
    assert len(answer.headers["Set-Cookie"]) < 4096
    assert told[:255] in desk.text(answer.location)


def test_the_form_warns_that_files_are_not_taken(desk: Desk) -> None:
    assert "терминал «Вход» не принимает файлы" in desk.text("/terminals/file-warning?terminal_id=1")


def test_a_terminal_that_was_never_checked_is_not_said_to_take_no_files(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        registry.add(Access("Склад", "http://warehouse.test", "admin", "x"))
    warning = client.get("/terminals/file-warning?terminal_id=1").text
    assert (
        "Пока неизвестно, принимает ли терминал «Склад» фото из файла. Если нет, фото останется только на сервере."
        in warning
    )
    assert "не принимает файлы" not in warning


def test_an_empty_terminal_is_deleted(desk: Desk, app: Flask) -> None:
    answer = desk.client.post("/terminals/1/delete")
    assert answer.location == "/terminals/"
    with app.app_context():
        assert registry.list_all() == []


def test_a_switched_off_terminal_is_not_offered(desk: Desk, app: Flask) -> None:
    with app.app_context():
        registry.add(Access("Склад", "http://warehouse.test", "admin", "x", is_active=False))
    assert "Склад" not in desk.text("/employees/new")
    assert "не используется" in desk.text("/terminals/")


def test_a_terminal_that_takes_pictures_warns_of_nothing(desk: Desk) -> None:
    data = typed(name="Вход", url="http://terminal.test", password="", face_by_picture="y")
    desk.client.post("/terminals/1", data=data)
    desk.run_jobs()
    assert "не принимает файлы" not in desk.text("/terminals/1")
    assert "не принимает файлы" not in desk.text("/employees/new")
    assert 'name="face_by_picture" type="checkbox" value="y" checked' in desk.text("/terminals/1/edit")


def test_direction_is_chosen_in_the_form_and_shown_among_the_facts(desk: Desk) -> None:
    assert "<dt>Направление</dt>" not in desk.text("/terminals/1")

    desk.client.post("/terminals/1", data=typed(name="Вход", url="http://terminal.test", password="", direction="in"))

    assert "<dt>Направление</dt><dd>вход</dd>" in desk.text("/terminals/1")
    assert '<option value="in" selected>вход</option>' in desk.text("/terminals/1/edit")


def test_a_refused_password_may_be_tried_once_more_by_decision(desk: Desk) -> None:
    desk.simulator.login.password = "Changed1"
    desk.client.post("/terminals/1/check")
    assert "Попробовать этот пароль ещё раз" in desk.text("/terminals/1")

    desk.client.post("/terminals/1/check")
    assert desk.simulator.wrong_passwords == 1

    for _ in range(5):
        desk.client.post("/terminals/1/try-once")
    assert desk.simulator.wrong_passwords == 2
    assert "Попробовать этот пароль ещё раз" not in desk.text("/terminals/1")


def test_a_password_that_was_right_after_all_opens_the_terminal_again(desk: Desk) -> None:
    desk.simulator.login.password = "Changed1"
    desk.client.post("/terminals/1/check")
    desk.simulator.login.password = PASSWORD

    desk.client.post("/terminals/1/try-once")

    assert "note-bad" not in desk.text("/terminals/1")


def test_a_locked_account_is_said_with_its_minutes(desk: Desk) -> None:
    desk.simulator.login.lock(1800)
    desk.client.post("/terminals/1/check")
    assert "заблокирована ещё на 30 мин" in desk.text("/terminals/1")


def test_the_limit_of_a_name_is_shown_before_saving(desk: Desk) -> None:
    assert '<p class="hint name-limit" id="name-limit">До 64 русских букв</p>' in desk.text("/employees/new")
    english = desk.client.get("/employees/new", headers=ENGLISH).text
    assert '<p class="hint name-limit" id="name-limit">Up to 64 Cyrillic letters</p>' in english
    assert "128 латинских букв или 64 русские буквы</dd>" in desk.text("/terminals/1")
    assert 'hx-swap-oob="true"' in desk.text("/terminals/file-warning?terminal_id=1")


def test_taking_no_files_is_a_property_not_a_warning(desk: Desk) -> None:
    page = desk.text("/terminals/1")

    assert "<dt>Принимает фото из файла</dt><dd>нет: фото из файла остаётся на сервере</dd>" in page
    assert "note-warn" not in page
    # That the password was accepted is not called an entrance.
    assert "<dt>Пароль принят</dt>" in page
    assert "<dt>Вход</dt>" not in page
