"""The page and the alarm of open removals."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Enrolment
from hikflask.models.enrolment import ABSENT
from hikflask.services.core.db import transaction
from hikflask.services.employees.lifecycle import set_active
from tests.support.desk import ENGLISH, TODAY, Desk
from tests.support.removals import open_removals
from tests.support.statements import counted_statements


def english(desk: Desk, address: str) -> str:
    return unescape(desk.client.get(address, headers=ENGLISH).text)


@pytest.fixture
def left_while_away(desk: Desk, app: Flask) -> str:
    """An employee who was deleted while the terminal was away."""
    place = desk.save()
    app.extensions["terminal_transport"].away.add("terminal.test")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()
    return place


@pytest.mark.usefixtures("left_while_away")
def test_an_open_removal_outlives_its_employee(desk: Desk) -> None:
    page = desk.text("/removals/")
    assert "Ещё может открыть двери: 1" in page
    assert "Иван Иванов" in page
    assert re.search(rf"Доступ ещё не снят: «Вход» \(нет связи с {TODAY}\)", page)


def test_removal_of_an_employee_has_the_name_and_leads_to_the_page(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context(), transaction():
        set_active(1, False)
        db.session.execute(db.update(Enrolment).values(written_name="Иванов И.", sent_name=""))

    assert f'<a id="who-1" href="{place}"><bdi>Иван Иванов</bdi></a>' in desk.text("/removals/")


def test_page_of_removals_asks_no_more_of_many_than_of_one(desk: Desk, app: Flask) -> None:
    desk.save()
    with app.app_context(), transaction():
        for number in ("L1", "L2", "L3"):
            left = Employee(number=number, name=f"Анна {number}", is_active=False)
            removal = Enrolment(terminal_id=1, number=number, desired=ABSENT, employee=left)
            db.session.add_all([left, removal])
    desk.client.get("/removals/")

    asked = []
    for _ in range(2):
        with counted_statements() as statements:
            page = desk.text("/removals/")
        asked.append((page.count('id="who-'), len(statements)))
        with app.app_context(), transaction():
            db.session.execute(db.delete(Enrolment).where(Enrolment.number.in_(["L2", "L3"])))

    assert [people for people, _ in asked] == [3, 1]
    assert asked[0][1] == asked[1][1]


@pytest.mark.usefixtures("left_while_away")
def test_deleting_leads_to_the_open_removals(desk: Desk) -> None:
    page = desk.text("/employees/")
    assert 'пока оно не подтверждено, его видно здесь: <a href="/removals/">Ещё может открыть двери</a>' in page


@pytest.mark.parametrize(
    ("address", "label"), [("/removals/bulk", "Управление"), ("/employees/1/consent", "Сотрудники")]
)
def test_page_belongs_to_an_entry_of_the_menu(desk: Desk, address: str, label: str) -> None:
    desk.save()
    assert re.findall(r'aria-current="page">(?:<[^>]*>)*([^<]+)</a>', desk.text(address)) == [label]


def test_a_strangers_record_is_removed_only_on_demand(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Чужой Человек"
    desk.client.post(f"{place}/delete")
    desk.run_jobs()
    page = desk.text("/removals/")
    assert "Удалить всё равно" in page
    assert "100222" in desk.simulator.people
    wish = page.partition('name="wish" value="')[2].partition('"')[0]
    desk.client.post("/enrolments/1/replace", data={"wish": wish, "next": "/removals/"})
    desk.run_jobs()
    assert desk.simulator.people == {}


def test_whoever_the_terminal_never_showed_is_removed_only_on_demand(desk: Desk) -> None:
    desk.simulator.faults.add("refuse", "notSupport", path="UserInfo/Search", status=404)
    place = desk.save()
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    for address in (place, "/removals/", "/attention"):
        page = desk.text(address)
        assert "Терминал не показывает, чей это ID. Удалить всё равно?" in page
        assert "Это другой человек" not in page
        form = fields_of(page, "/enrolments/1/replace")
        assert "The terminal does not show who has this ID there. Remove it all the same?" in english(desk, address)
    assert "100222" in desk.simulator.people
    desk.client.post("/enrolments/1/replace", data=form)
    desk.run_jobs()
    assert desk.simulator.people == {}


def fields_of(page: str, action: str) -> dict[str, str]:
    """What the form that posts to an address would send."""
    form = page.partition(f'action="{action}"')[2].partition("</form>")[0]
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


def test_strangers_record_stays_by_a_persons_word_and_is_said_as_such(desk: Desk, app: Flask) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Чужой Человек"
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    page = english(desk, "/removals/")
    assert "This ID has another name there: Чужой Человек." in page
    assert "It is somebody else" in page
    assert "It is somebody else" in english(desk, place)

    desk.client.post("/enrolments/1/somebody-else", data=fields_of(page, "/enrolments/1/somebody-else"))

    assert desk.simulator.people["100222"]["name"] == "Чужой Человек"
    assert "None: every removal is confirmed" in english(desk, "/removals/")
    page = english(desk, place)
    assert "The record under this ID on “Вход” is somebody else's, as Анна said <time " in page
    assert "Not on “Вход” any more" not in page
    with app.app_context():
        noted = {entry.action: entry.actor for entry in db.session.execute(db.select(AuditEntry)).scalars()}
    assert noted["enrolment.somebody_elses"].startswith("Анна")
    assert "enrolment.removed" not in noted


def test_word_about_somebody_who_has_the_number_no_more_changes_nothing(desk: Desk, app: Flask) -> None:
    place = desk.save()
    desk.simulator.people["100222"]["name"] = "Чужой Человек"
    desk.client.post(f"{place}/delete")
    desk.run_jobs()
    seen = fields_of(english(desk, "/removals/"), "/enrolments/1/somebody-else")

    answer = desk.client.post(
        "/enrolments/1/somebody-else", data={**seen, "name": "Другой"}, headers=ENGLISH, follow_redirects=True
    )

    assert "data changed meanwhile. Look again, please." in answer.text
    with app.app_context():
        assert len(open_removals()) == 1


def test_a_removal_is_open_since_it_was_asked_for(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        enrolled_long_ago = datetime(2020, 1, 2, 3, 4, tzinfo=UTC)
        db.session.execute(db.update(Enrolment).values(created_at=enrolled_long_ago, desired_since=enrolled_long_ago))
        db.session.commit()
    app.extensions["terminal_transport"].away.add("terminal.test")
    desk.client.post(f"{place}/delete")

    with app.app_context():
        (enrolment,) = open_removals()
        assert enrolment.desired_since is not None
        since = datetime.now(UTC) - enrolment.desired_since
    assert since < timedelta(minutes=1)
    assert re.search(rf"Открыто с {TODAY}\.", desk.text("/removals/"))
    assert "2020" not in desk.text("/removals/")


def test_old_device_is_asked_about_by_hand_on_the_employees_page(desk: Desk, app: Flask) -> None:
    place = desk.save()
    with app.app_context():
        db.session.execute(
            db.update(Enrolment).values(on_old_device=True, name_on_old_device="Иван Иванов", written_name="")
        )
        db.session.commit()
    desk.client.post(f"{place}/active", data={"active": "0"})
    desk.run_jobs()
    page = desk.text(place)
    assert "Удалено там вручную" in page
    wish = page.partition('/by-hand"')[2].partition('name="wish" value="')[2].partition('"')[0]

    desk.client.post("/enrolments/1/by-hand", data={"wish": wish})

    assert "так сообщил оператор (Анна" in desk.text(place)
    assert "Таких нет: все удаления подтверждены" in desk.text("/removals/")


def test_word_of_a_page_that_is_stale_changes_nothing(desk: Desk, app: Flask) -> None:
    place = desk.save()
    desk.client.post(f"{place}/delete")

    answer = desk.client.post("/enrolments/1/by-hand", data={"wish": "1"}, follow_redirects=True)

    assert "Данные сотрудника успели измениться." in answer.text
    with app.app_context():
        assert len(open_removals()) == 1
