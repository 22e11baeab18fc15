"""Erasing on the pages: the question, what is open, the certificate, and by number."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Enrolment, Erasure
from hikflask.services.photos import storage
from hikflask.services.privacy import certificates, secure_delete
from tests.support.database_readers import somebody_reads
from tests.support.desk import ENGLISH, ON_PAPER, ON_RUSSIAN_PAPER, Desk
from tests.support.local_time import set_local_hour
from tests.support.retention import DAY, age
from tests.support.rows import all_of


def english(client: FlaskClient, address: str) -> str:
    return unescape(client.get(address, headers=ENGLISH).text)


def test_question_names_person_and_terminals(desk: Desk) -> None:
    place = desk.save()

    page = english(desk.client, f"{place}/erase")

    assert "Erase all data: Иван Иванов?" in page
    assert "Terminals: <bdi>Вход</bdi>." in page
    assert f'href="{place}/erase"' in english(desk.client, place)


def test_certificate_comes_when_the_terminal_confirmed(desk: Desk, app: Flask) -> None:
    place = desk.save()

    answer = desk.client.post(f"{place}/erase")
    assert answer.status_code == 303
    assert "Certificate" not in english(desk.client, answer.location)
    desk.run_jobs()

    page = english(desk.client, answer.location)
    assert "Certificate of erasure No. 1" in page
    assert "Иван Иванов" in page
    assert re.search(f"“Вход”, ID 100222: the terminal confirmed {ON_PAPER} that nobody has this ID there\\.", page)
    assert re.search(
        f"«Вход», ID 100222: терминал подтвердил {ON_RUSSIAN_PAPER}, что этого ID там ни у кого нет\\.",
        desk.text(answer.location),
    )
    assert re.search(f"<span>Complete</span><span[^>]*><bdi>{ON_PAPER}</bdi></span>", page)
    assert "photos: 1." in page
    assert f"<li>{NAMED_FOR_THIRTY_DAYS['en']}</li>" in page
    assert f"<p>{KEY_DESTROYED['en']}</p>" in page
    assert f"<p>{KEY_DESTROYED['ru']}</p>" in desk.text(answer.location)
    assert "Not covered: backups" in page
    assert desk.simulator.people == {}
    assert all_of(app, Employee) == []


def test_every_erasure_is_reached_from_the_list(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.add_all([Erasure(number=str(n), name=f"Имя {n:02}", requested_by="Анна") for n in range(51)])
        db.session.commit()

    first = desk.text("/erasures/")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)

    assert "Имя 50" in first
    assert "Имя 00" not in first
    assert "Имя 00" in desk.text(following)


KEPT_BY_THE_SERVER = {
    "en": "The database server (PostgreSQL) overwrites its own log of changes in its own time: until then what was "
    "deleted is in it, and in copies of that log as long as they are kept.",
    "ru": "Сервер базы данных (PostgreSQL) перезаписывает собственный журнал изменений в своё время: до тех пор "
    "удалённое есть в нём, а в копиях этого журнала — пока их хранят.",
}
NOT_COVERED = {
    "en": "Not covered: backups, exported and printed papers, traces of deleted files on the server's disk until "
    "others take their place, what a terminal keeps in its own list of events and in a face library that it does not "
    "search by ID, and its file of the last capture, which its next capture overwrites.",
    "ru": "Не охвачены: резервные копии, выгрузки и распечатки, следы удалённых файлов на диске сервера, пока их место "
    "не займут другие, собственный список событий терминала, его библиотека лиц, если он не ищет в ней по ID, и файл "
    "его последней съёмки, который перезапишет следующая.",
}
WAITS_FOR_THE_DATABASE = {
    "en": "No terminal is waited for any more. The certificate comes when what was deleted is overwritten in the "
    "database's files, too. Something else, such as a backup, uses the database, or the disk is too full: the log says "
    "more, and the program keeps trying.",
    "ru": "От терминалов больше ничего не требуется. Акт появится, когда удалённое будет затёрто и в файлах базы "
    "данных. Сейчас базой пользуется что-то ещё, например резервное копирование, или на диске мало места: подробности "
    "— в журнале сервера, программа повторяет попытки.",
}
WAITS_FOR_THE_NIGHT = {
    "en": "No terminal is waited for any more. The database is large, so what was deleted is overwritten in its files "
    "at night, before 5 o'clock, when nobody has to wait for that. Until then traces of it may stay in them, and the "
    "certificate comes afterwards.",
    "ru": "От терминалов больше ничего не требуется. База данных большая, поэтому удалённое затирается в её файлах "
    "ночью, до 5 часов, чтобы никому не пришлось ждать. До тех пор его следы могут оставаться в этих файлах. Акт "
    "появится после этого.",
}


NAMED_FOR_THIRTY_DAYS = {
    "en": "This certificate keeps ID and name for 30 days. Then only a keyed digest of them stays, with which a "
    "printed certificate can be checked.",
    "ru": "ID и ФИО хранятся в акте 30 дней. Затем остаётся только их контрольная сумма с ключом, по ней можно "
    "проверить распечатанный акт.",
}
KEY_DESTROYED = {
    "en": "Destroyed: the key to what the audit trail says of the employee. The trail still shows what was done, when "
    "and by whom; ID, name and department can no longer be read there.",
    "ru": "Уничтожен ключ к сведениям о сотруднике в журнале действий. Журнал по-прежнему показывает, что, когда и кем "
    "сделано, но ID, ФИО и отдел в нём больше не прочитать.",
}
ANSWERS = {
    "en": (
        "Certificate No. 1 belongs to this ID and name.",
        "Certificate No. 1 does not belong to this ID and name.",
        "There is no such complete certificate.",
        "“Вход”: the terminal confirmed",
    ),
    "ru": (
        "Акт об удалении данных № 1 выдан на этот ID и это ФИО.",
        "Акт об удалении данных № 1 выдан не на этот ID и не на это ФИО.",
        "Такого завершённого акта нет.",
        "«Вход»: терминал подтвердил",
    ),
}


def test_printed_certificate_is_checked_when_it_names_nobody_any_more(desk: Desk, app: Flask) -> None:
    location = desk.client.post(f"{desk.save()}/erase").location
    desk.run_jobs()
    desk.client.get(location)
    with app.app_context():
        age(Erasure, "completed_at", 31 * DAY)
        certificates.forget_names()

    def answer(language: str, certificate: str, name: str) -> str:
        typed = {"certificate": certificate, "number": "100222", "name": name}
        said = desk.client.post("/erasures/check", data=typed, headers={"Accept-Language": language})
        return unescape(said.text)

    for language, (matches, differs, unknown, terminal) in ANSWERS.items():
        assert matches in answer(language, "1", "иван иванов")
        assert differs in answer(language, "1", "Пётр Иванов")
        assert unknown in answer(language, "2", "Иван Иванов")
        shown = unescape(desk.client.get(f"{location}?lang={language}").text)
        assert terminal in shown
        assert not [text for text in ("100222", "Иванов") if text in shown + desk.text("/erasures/")]
    assert 'name="certificate" type="text"\n    value="1"' in desk.text("/erasures/check?certificate=1")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_certificate_names_what_is_out_of_reach_in_the_asked_language(desk: Desk, app: Flask) -> None:
    location = desk.client.post(f"{desk.save()}/erase").location
    desk.run_jobs()
    on_postgresql = app.config["DATABASE_URL"].startswith("postgresql://")

    for language, sentence in NOT_COVERED.items():
        page = unescape(desk.client.get(f"{location}?lang={language}", headers={"Accept-Language": "de"}).text)

        assert f'<html lang="{language}">' in page
        assert f"<li>{sentence}</li>" in page
        assert (f"<li>{KEPT_BY_THE_SERVER[language]}</li>" in page) == on_postgresql


def test_certificate_waits_for_the_database_and_says_so(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context(), somebody_reads():
        location = desk.client.post(f"{place}/erase").location
        desk.run_jobs()
        for language, said in WAITS_FOR_THE_DATABASE.items():
            with app.app_context():  # Its own, which keeps the language.
                page = unescape(desk.client.get(location, headers={"Accept-Language": language}).text)
            assert f'<p class="lead" data-says="{said}">{said}</p>' in page

    assert "Certificate of erasure No. 1" in english(desk.client, location)


@pytest.mark.parametrize("hour", [2, 12])
def test_erasure_in_a_large_database_waits_for_the_worker_at_night_and_says_so(
    desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    monkeypatch.setattr(secure_delete, "LARGE_BYTES", 1000)
    set_local_hour(app, hour)
    location = desk.client.post(f"{desk.save()}/erase").location
    desk.run_jobs()

    desk.client.get("/erasures/")
    for language, said in WAITS_FOR_THE_NIGHT.items():
        page = unescape(desk.client.get(location, headers={"Accept-Language": language}).text)
        assert f'<p class="lead" data-says="{said}">{said}</p>' in page
    set_local_hour(app, 2)
    with app.app_context():
        tasks.sweep()

    assert "Certificate of erasure No. 1" in english(desk.client, location)


def test_question_names_terminals_of_a_former_number_too(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(number="100111"))
        db.session.commit()

    assert "Terminals: <bdi>Вход</bdi>." in english(desk.client, f"{place}/erase")


def test_who_looks_at_the_erasure_did_not_complete_it(desk: Desk, app: Flask) -> None:
    location = desk.client.post(f"{desk.save()}/erase").location
    desk.run_jobs()
    desk.client.get(location)

    actors = {entry.action: entry.actor for entry in all_of(app, AuditEntry)}
    assert actors["erasure.completed"] == "worker"
    assert actors["employee.erased"] != "worker"


@pytest.mark.parametrize("deed", ["erase", "delete"])
def test_file_that_cannot_be_removed_keeps_no_removal_waiting(desk: Desk, app: Flask, deed: str) -> None:
    place = desk.save()
    with app.app_context():
        (stuck,) = storage.folder().iterdir()
    stuck.unlink()
    stuck.mkdir()

    answer = desk.client.post(f"{place}/{deed}")
    desk.run_jobs()

    assert answer.status_code == 303
    assert desk.simulator.people == {}
    assert all_of(app, Employee) == []
    if deed == "erase":
        page = english(desk.client, answer.location)
        assert "A picture cannot be deleted from the server's disk" in page
        assert "Certificate of erasure" not in page
        stuck.rmdir()
        assert "Certificate" in english(desk.client, answer.location)


def test_open_terminal_is_named_and_can_be_tried_again(desk: Desk, app: Flask) -> None:
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    location = desk.client.post(f"{place}/erase").location
    desk.run_jobs()

    page = english(desk.client, location)
    assert "May still open doors: “Вход”" in page
    assert "Certificate of erasure" not in page
    assert "not complete" in english(desk.client, "/erasures/")

    app.extensions["terminal_transport"].away.clear()
    again = desk.client.post("/enrolments/1/retry", data={"next": location})
    desk.run_jobs()

    assert again.location == location
    assert "Certificate of erasure" in english(desk.client, location)


def test_removal_by_hand_is_named_as_such_on_the_certificate(desk: Desk, app: Flask) -> None:
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    location = desk.client.post(f"{place}/erase").location
    desk.run_jobs()
    app.extensions["terminal_transport"].away.clear()
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(on_old_device=True, written_name=""))
        db.session.commit()

    page = english(desk.client, location)
    assert "Removed there by hand" in page
    wish = page.partition('name="wish" value="')[2].partition('"')[0]
    desk.client.post("/enrolments/1/by-hand", data={"wish": wish})

    page = english(desk.client, location)
    assert re.search(f"removed by hand, as Анна said {ON_PAPER}\\.", page)
    assert "the terminal confirmed" not in page


def test_record_of_somebody_else_is_named_as_such_on_the_certificate(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Ivanov I.I."
    location = desk.client.post(f"{place}/erase").location
    desk.run_jobs()

    page = english(desk.client, location)
    assert "This ID has another name there: Ivanov I.I." in page
    assert "Certificate of erasure" not in page
    form = page.partition('action="/enrolments/1/somebody-else"')[2].partition("</form>")[0]
    answer = desk.client.post(
        "/enrolments/1/somebody-else", data=dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
    )

    assert answer.location == location
    page = english(desk.client, location)
    assert "Certificate of erasure No. 1" in page
    assert re.search(f"Анна stated {ON_PAPER} that it belongs to somebody else\\. The terminal did not confirm", page)
    assert "the terminal confirmed" not in page
    assert "Ivanov" not in page
    assert "100222" in desk.simulator.people


def test_second_half_of_a_double_click_shows_the_same_erasure(desk: Desk, app: Flask) -> None:
    place = desk.save()
    first = desk.client.post(f"{place}/erase")

    second = desk.client.post(f"{place}/erase")

    assert (second.status_code, second.location) == (303, first.location)
    assert len(all_of(app, Erasure)) == 1


def test_somebody_deleted_before_is_erased_by_number(desk: Desk, app: Flask) -> None:
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    desk.client.post(f"{place}/delete")

    question = english(desk.client, "/erasures/number?number=100222")
    assert 'name="number" value="100222"' in question
    answer = desk.client.post("/erasures/", data={"number": "100222"})

    assert answer.status_code == 303
    assert "Erasure of Иван Иванов" in english(desk.client, answer.location)


@pytest.mark.parametrize(("number", "words"), [("100999", "Nothing is stored here"), ("нет", "Latin letters")])
def test_number_that_is_not_here_is_said_beside_the_field(client: FlaskClient, number: str, words: str) -> None:
    for answer in (
        client.get(f"/erasures/number?number={number}", headers=ENGLISH),
        client.post("/erasures/", data={"number": number}, headers=ENGLISH),
    ):
        assert answer.status_code == 422
        assert 'id="number-error"' in answer.text
        assert words in answer.text


def test_number_of_an_employee_leads_to_the_question_about_the_employee(desk: Desk, app: Flask) -> None:
    place = desk.save()

    for answer in (
        desk.client.get("/erasures/number?number=100222"),
        desk.client.post("/erasures/", data={"number": "100222"}),
    ):
        assert (answer.status_code, answer.location) == (303, f"{place}/erase")
    assert len(all_of(app, Employee)) == 1


def test_administration_links_to_erasures(client: FlaskClient) -> None:
    assert 'href="/erasures/"' in client.get("/administration").text
