"""Consent on the pages: the box beside a new employee, the form, the paper, and the warning."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ApiToken, Capture, Consent, Employee, Terminal, TerminalPrivacy, Webhook
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import today
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.signed_in import client_of

WARNING = "Consent is not recorded."
STOP = "There is no consent to take this photo yet"
BOX = 'id="consent" name="consent" type="checkbox" value="y"'


@pytest.fixture
def required(app: Flask) -> None:
    """The stricter setting."""
    app.config["CONSENT"] = "require"


@pytest.fixture
def ivan(app: Flask) -> str:
    """The address of an employee without consent and without a photo."""
    with app.app_context():
        return f"/employees/{save_employee(Draft('100222', 'Иван Иванов', 'Охрана')).row.id}"


def english(client: FlaskClient, address: str, **options: object) -> str:
    return unescape(client.get(address, headers=ENGLISH, **options).text)


def given(**changed: str) -> dict[str, str]:
    """A valid consent form."""
    return {"given_on": "2026-03-01", "basis": "contract", "note": "папка 7", **changed}


def recorded(app: Flask) -> list[Consent]:
    with app.app_context():
        return list(db.session.execute(db.select(Consent)).scalars())


def test_box_of_the_new_employee_records_the_consent_with_the_photo(desk: Desk, app: Flask) -> None:
    place = desk.save(consent="y")

    (kept,) = recorded(app)
    assert (kept.basis, kept.recorded_by) == ("consent", "Анна")
    assert "Consent given on" in english(desk.client, place)
    assert WARNING not in english(desk.client, place)


def test_box_stays_ticked_when_a_field_is_wrong(desk: Desk) -> None:
    page = desk.client.post("/employees/", data=typed(hikvision_id="", consent="y"))

    assert page.status_code == 422
    assert f"{BOX} checked" in page.text


def test_box_travels_with_the_capture_and_survives_a_reload(desk: Desk) -> None:
    capture_id = desk.capture(consent="y")

    assert f"{BOX} checked" in desk.text(f"/employees/new?capture={capture_id}")


def test_box_that_is_unticked_during_the_capture_stays_so(desk: Desk) -> None:
    capture_id = desk.capture(consent="y")

    desk.client.post("/captures/draft", data=typed(capture_id=capture_id))

    page = desk.text(f"/employees/new?capture={capture_id}")
    assert BOX in page
    assert f"{BOX} checked" not in page


def test_one_box_has_the_checkbox_the_warning_and_the_form_to_sign(desk: Desk, ivan: str) -> None:
    taken = f"/employees/new?capture={desk.capture(hikvision_id='100223')}"
    for address, paper in (("/employees/new", "/consent"), (taken, "/consent"), (f"{ivan}/edit", f"{ivan}/consent")):
        box = english(desk.client, address).partition('<div class="consent-box">')[2].partition("</p>")[0]
        assert BOX in box
        assert f"</svg> {WARNING}</span>" in box
        assert re.search(rf'<a href="{paper}\S*" target="_blank">Consent form</a>', box)
    assert "</svg> Согласие на съёмку не отмечено.</span>" in desk.text(taken)


def test_no_warning_and_no_box_where_consent_is_recorded(desk: Desk, ivan: str) -> None:
    desk.client.post(f"{ivan}/consent", data=given())

    page = english(desk.client, f"{ivan}/edit")

    assert WARNING not in page
    assert BOX not in page


def test_employees_page_warns_once_a_photo_is_there(desk: Desk, ivan: str) -> None:
    page = english(desk.client, ivan)
    assert WARNING not in page
    assert "Record consent" in page

    assert WARNING in english(desk.client, desk.save(hikvision_id="100223"))


@pytest.mark.usefixtures("required")
def test_required_consent_stops_the_capture_with_what_is_typed_kept(desk: Desk, app: Flask) -> None:
    answer = desk.client.post("/captures", data=typed(), headers=ENGLISH)

    assert answer.status_code == 409
    assert STOP in answer.text
    assert 'value="Иван Иванов"' in answer.text
    with app.app_context():
        assert db.session.execute(db.select(Capture)).first() is None


@pytest.mark.usefixtures("required")
def test_required_consent_stops_a_file_and_says_so_beside_the_box(desk: Desk, app: Flask) -> None:
    answer = desk.upload(FACE)

    assert answer.status_code == 409
    assert 'id="consent-error"' in answer.text
    assert 'aria-describedby="consent-error"' in answer.text
    with app.app_context():
        assert db.session.execute(db.select(Employee)).first() is None


@pytest.mark.usefixtures("required")
def test_capture_of_somebody_known_goes_by_what_is_recorded_of_them(desk: Desk, ivan: str) -> None:
    number = {"employee_id": ivan.rpartition("/")[2], "hikvision_id": "100999"}
    assert desk.client.post("/captures", data=typed(**number)).status_code == 409

    desk.client.post(f"{ivan}/consent", data=given())

    assert desk.client.post("/captures", data=typed(**number)).status_code == 303


def test_form_records_day_basis_and_note(client: FlaskClient, app: Flask, ivan: str) -> None:
    answer = client.post(f"{ivan}/consent", data=given())

    assert (answer.status_code, answer.location) == (303, ivan)
    (kept,) = recorded(app)
    assert (kept.given_on, kept.basis, kept.note) == (date(2026, 3, 1), "contract", "папка 7")
    page = english(client, ivan)
    assert "By contract since March 1, 2026." in page or "By contract since 1 March 2026." in page
    assert "папка 7" in page
    again = client.get(f"{ivan}/consent").text
    assert 'value="2026-03-01"' in again
    assert 'value="contract" selected' in again


def test_form_offers_this_day(client: FlaskClient, app: Flask, ivan: str) -> None:
    with app.app_context():
        present_day = today()

    assert f'value="{present_day}"' in client.get(f"{ivan}/consent").text


def test_bad_field_is_named_and_the_form_is_kept(client: FlaskClient, app: Flask, ivan: str) -> None:
    for field, value in [
        ("given_on", (date.today() + timedelta(days=2)).isoformat()),  # noqa: DTZ011
        ("given_on", "1.3.2026"),
        ("given_on", ""),
        ("given_on", "0001-01-01"),
        ("basis", "whim"),
        ("note", "я" * 501),
        ("note", "две\nстроки"),
    ]:
        answer = client.post(f"{ivan}/consent", data=given(**{field: value}))

        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        if field != "note":
            assert 'value="папка 7"' in answer.text
        assert recorded(app) == []


def test_withdrawn_consent_is_warned_of_and_the_photo_stays(desk: Desk, app: Flask) -> None:
    place = desk.save(consent="y")

    answer = desk.client.post(f"{place}/consent/withdraw", headers=ENGLISH)

    assert answer.status_code == 303
    assert recorded(app) == []
    page = english(desk.client, place)
    assert 'Photo and records must be erased now: <a href="/employees/1/erase">Erase all data</a>' in page
    assert "There is a photo already: record the consent, or erase all data." in page
    assert "100222" in desk.simulator.faces


def test_operator_who_cannot_erase_is_told_who_can(desk: Desk, app: Flask) -> None:
    place = desk.save(consent="y")
    client = client_of(app, OPERATOR)

    client.post(f"{place}/consent/withdraw", headers=ENGLISH)

    page = english(client, place)
    assert "Photo and records must be erased now: tell an administrator." in page
    assert "record the consent, or tell an administrator, who can erase." in page
    assert "/erase" not in page


def test_button_says_what_it_does(desk: Desk) -> None:
    place = desk.save(consent="y")

    assert 'type="submit">Отозвать согласие</button>' in desk.text(f"{place}/consent")


def test_paper_is_in_the_asked_language_whatever_the_browser_speaks(client: FlaskClient, ivan: str) -> None:
    for language in ["ru", "en"]:
        page = client.get(f"{ivan}/consent/print?lang={language}", headers={"Accept-Language": "de"}).text

        assert f'<html lang="{language}">' in page
        assert "Иван Иванов" in page
        assert "100222" in page


def test_paper_has_a_way_back_and_a_button_for_the_printer(client: FlaskClient, ivan: str) -> None:
    for address, back in ((f"{ivan}/consent/print", ivan), ("/consent/print", "/employees/")):
        page = english(client, address)
        assert f'<a class="btn btn-quiet" href="{back}">Back</a>' in page
        assert 'src="/static/print.js"' in page
        assert "print-page" in page


def test_blank_paper_names_nobody(client: FlaskClient, ivan: str) -> None:
    page = english(client, "/consent/print?lang=en")

    assert ivan
    assert "Иван" not in page
    for line in ("Organisation that decides", "Date", "Signature", "not legal advice"):
        assert line in page


NOTHING_ELSE = {
    "en": "The purpose is to let me in; it is used for nothing else.",
    "ru": "Цель — пропускать меня; ни для чего другого она не используется.",
}
RECORDED = {
    "en": "The purposes are to let me in, and to record when I come and go.",
    "ru": "Цели — пропускать меня и записывать, когда я прихожу и ухожу.",
}
PASSAGES = {
    "en": "Each time a terminal lets me in or turns me away is recorded and kept (days: 90). Whoever works with the "
    "access program sees it, and lists of arrivals and departures are made of it.",
    "ru": "Каждый раз, когда терминал пропускает меня или отказывает, это записывается и хранится (дней: 90). Это "
    "видят все, кто работает с программой доступа; по этим записям составляются списки приходов и уходов.",
}
PICTURES = {
    "en": "The terminal takes a picture of me each time, which is kept, too (days: 3).",
    "ru": "Терминал каждый раз снимает меня, и этот снимок тоже хранится (дней: 3).",
}
PROGRAMS = {
    "en": "The access program gives data about me to other programs, which are:",
    "ru": "Программа доступа передаёт данные обо мне другим программам, а именно:",
}
LET_IN = {"en": "The purpose is to let me in.", "ru": "Цель — пропускать меня."}
ADDRESSES = {
    "en": "The terminals also send what they record about me elsewhere: 192.0.2.5:8080. Who receives it there:",
    "ru": "Терминалы отправляют то, что записывают обо мне, ещё и сюда: 192.0.2.5:8080. Кто это там получает:",
}
SENTENCES = (NOTHING_ELSE, RECORDED, PASSAGES, PICTURES, LET_IN, PROGRAMS, ADDRESSES)


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("settings_now", "webhook", "said"),
    [
        ({"PASSAGES_PICTURES": 3}, False, (NOTHING_ELSE,)),
        ({}, True, (LET_IN, PROGRAMS)),
        ({"PASSAGES": "poll"}, False, (RECORDED, PASSAGES)),
        ({"PASSAGES": "push", "PASSAGES_PICTURES": 3}, True, (RECORDED, PASSAGES, PICTURES, PROGRAMS)),
    ],
)
def test_paper_says_what_the_settings_do_and_nothing_that_they_contradict(
    app: Flask,
    client: FlaskClient,
    language: str,
    settings_now: dict[str, object],
    webhook: bool,
    said: tuple[dict[str, str], ...],
) -> None:
    app.config.update(settings_now)
    with app.app_context(), transaction():
        db.session.execute(db.update(ApiToken).values(revoked_at=database_now()))
        if webhook:
            db.session.add(Webhook(url="http://127.0.0.1:9/", secret_encrypted="x"))

    page = english(client, f"/consent/print?lang={language}")

    assert [one for one in SENTENCES if one[language] in page] == [*said]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_paper_names_where_terminals_send_events_besides(
    app: Flask, client: FlaskClient, terminal: Terminal, language: str
) -> None:
    address = f"/consent/print?lang={language}"
    slot = {"slot": 1, "address": "192.0.2.5", "port": 8080, "url": "/in", "protocol": "HTTP", "tells": False}
    with app.app_context(), transaction():
        db.session.execute(db.update(ApiToken).values(revoked_at=database_now()))
        hosts = [{**slot, "is_ours": False}, {**slot, "slot": 2, "address": "192.0.2.1", "is_ours": True}]
        db.session.add(TerminalPrivacy(terminal_id=terminal.id, read_at=database_now(), hosts=hosts, foreign_hosts=1))

    page = english(client, address)

    assert [one for one in SENTENCES if one[language] in page] == [LET_IN, ADDRESSES]
    with app.app_context(), transaction():
        db.session.execute(db.update(TerminalPrivacy).values(foreign_hosts=0, hosts=[]))
    assert NOTHING_ELSE[language] in english(client, address)


def test_paper_names_other_programs_while_a_token_is_valid(client: FlaskClient) -> None:
    assert PROGRAMS["en"] in english(client, "/consent/print?lang=en")


def test_viewer_sees_the_state_and_cannot_change_it(app: Flask, client: FlaskClient, ivan: str) -> None:
    client.post(f"{ivan}/consent", data=given())
    viewer = client_of(app, VIEWER)

    page = english(viewer, ivan)

    assert "By contract since" in page
    assert "/consent" not in page.replace("/consents", "")
    for answer in (
        viewer.get(f"{ivan}/consent"),
        viewer.post(f"{ivan}/consent", data=given(note="чужая")),
        viewer.post(f"{ivan}/consent/withdraw"),
    ):
        assert answer.status_code == 403
    assert [kept.note for kept in recorded(app)] == ["папка 7"]
