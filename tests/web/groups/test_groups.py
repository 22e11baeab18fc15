"""The pages of groups: nothing changes for anybody before it was shown, and many removals need their number typed."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models.operator import OPERATOR, VIEWER
from hikflask.services.captures.drafts import Draft
from hikflask.services.departments import registry as departments
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import queries
from hikflask.services.groups.queries import Listed
from tests.support.desk import ENGLISH
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group, wishes
from tests.support.signed_in import client_of

RUSSIAN = {"Accept-Language": "ru"}
pytestmark = pytest.mark.usefixtures("worker_alive")


@pytest.fixture
def ids(app: Flask) -> dict[str, int]:
    """Two terminals, two guards, and somebody in no department."""
    with app.app_context():
        for number, department in (("1", "Охрана"), ("2", "Охрана"), ("3", "")):
            save_employee(Draft(number, "Анна", department))
        return add_terminals(ENTRANCE, STORE)


def groups(app: Flask) -> list[Listed]:
    with app.app_context():
        return queries.list_all()


def wished(app: Flask, number: str) -> dict[str, bool]:
    with app.app_context():
        return wishes(number)


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition('id="main"')[2]).split())


def test_group_is_made_after_its_changes_were_shown(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    fields = {"name": "Офис", "terminals": [str(ids[ENTRANCE])], "departments": ["1"], "added": "3", "department": ""}

    asked = client.post("/groups/", data=fields, headers=RUSSIAN)
    assert (asked.status_code, groups(app)) == (422, [])
    assert "Что изменится: Вход : будут записаны 3 сотрудника" in text(asked.text)
    assert (
        f'id="terminals-{ids[ENTRANCE]}" name="terminals" type="checkbox" value="{ids[ENTRANCE]}" checked' in asked.text
    )
    assert 'name="added" type="text"\n    value="3"' in asked.text
    saved = client.post("/groups/", data={**fields, "apply": "1"}, headers=RUSSIAN)
    run_jobs()

    assert (saved.status_code, saved.location) == (303, "/jobs/1")
    assert "Терминалы группы «Офис»" in client.get("/jobs/1", headers=RUSSIAN).text
    (group,) = groups(app)
    assert (group.name, group.departments, group.alone) == ("Офис", ("Охрана",), 1)
    assert [wished(app, number) for number in "123"] == [{ENTRANCE: True}] * 3
    page = text(client.get("/groups/", headers=RUSSIAN).text)
    assert "Офис Терминалы: Вход Отделы: Охрана · отдельно 1 сотрудник Изменить" in page


def test_group_without_consequences_is_saved_at_once(app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
    answer = client.post("/groups/", data={"name": " Офис ", "terminals": str(ids[STORE]), "department": "Новый"})

    assert (answer.status_code, answer.location) == (303, "/groups/")
    assert [(one.name, one.departments) for one in groups(app)] == [("Офис", ("Новый",))]


def test_many_who_lose_a_terminal_need_their_number_typed(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")
    fields = {"name": "Офис", "terminals": str(ids[STORE]), "departments": "1"}

    asked = client.post(f"/groups/{group_id}", data=fields, headers=ENGLISH)
    assert "Вход : 2 employees will be removed Склад : 2 employees will be added" in text(asked.text)
    assert "Access is taken from many. To confirm, enter how many: 2" in asked.text
    refused = client.post(f"/groups/{group_id}", data={**fields, "apply": "1", "confirm": "3"}, headers=ENGLISH)
    assert refused.status_code == 409
    assert "This removes many people from terminals. To confirm, enter how many: 2." in refused.text
    assert wished(app, "1") == {ENTRANCE: True}
    saved = client.post(f"/groups/{group_id}", data={**fields, "apply": "1", "confirm": "2"}, headers=ENGLISH)
    run_jobs()

    assert saved.location == "/jobs/1"
    assert [wished(app, number) for number in "12"] == [{STORE: True}] * 2


def test_group_is_deleted_after_its_changes_were_shown(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")
        empty = make_group("Склад", [ids[STORE]])

    page = client.get(f"/groups/{group_id}/delete", headers=RUSSIAN).text
    assert "Вход : будут удалены 2 сотрудника" in text(page)
    assert client.post(f"/groups/{group_id}/delete", data={"confirm": "1"}).status_code == 409
    deleted = client.post(f"/groups/{group_id}/delete", data={"confirm": "2"})
    run_jobs()
    assert "Доступ никто не потеряет." in client.get(f"/groups/{empty}/delete", headers=RUSSIAN).text

    assert client.post(f"/groups/{empty}/delete").location == "/groups/"
    assert deleted.location == "/jobs/1"
    assert (groups(app), wished(app, "1")) == ([], {})
    assert client.get(f"/groups/{group_id}/delete").status_code == 404


def test_single_employees_are_listed_and_taken_out(app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], added=["3"])

    page = client.get(f"/groups/{group_id}/edit", headers=RUSSIAN).text
    assert "3: убрать из группы" in page
    fields = {"name": "Офис", "terminals": str(ids[ENTRANCE]), "removed": "3", "apply": "1", "confirm": "1"}
    client.post(f"/groups/{group_id}", data=fields)

    assert groups(app)[0].alone == 0


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        ({"name": ""}, "Поле «Название» не должно быть пустым."),
        ({"name": "Склад"}, "Такое название есть у другой группы. Выберите другое."),
        ({"added": "99"}, "Сотрудника с ID 99 нет."),
        ({"added": "№"}, "Введите ID через пробел: латинские буквы и цифры, до 32 знаков в каждом."),
    ],
)
def test_wrong_input_is_told_beside_its_field(
    app: Flask, client: FlaskClient, ids: dict[str, int], spoilt: dict[str, str], sentence: str
) -> None:
    with app.app_context():
        make_group("Склад", [ids[STORE]])

    answer = client.post("/groups/", data={"name": "Офис", **spoilt}, headers=RUSSIAN)

    assert answer.status_code in {409, 422}
    assert sentence in text(answer.text)
    assert len(groups(app)) == 1


def test_who_is_no_administrator_only_looks(app: Flask, ids: dict[str, int]) -> None:
    with app.app_context():
        make_group("Офис", [ids[ENTRANCE]], "Охрана")

    page = client_of(app, VIEWER).get("/groups/", headers=RUSSIAN).text
    assert "Офис" in page
    assert "/groups/1/edit" not in page
    assert client_of(app, OPERATOR, "Ольга").post("/groups/", data={"name": "Склад"}).status_code == 403
    assert 'href="/groups/"' in client_of(app, VIEWER, "Яна").get("/terminals/").text


def test_people_moved_by_a_job_are_shown_what_groups_give_and_take(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        make_group("Офис", [ids[ENTRANCE]], "Охрана")
        make_group("Склад", [ids[STORE]], "Кладовая")
    client.post("/jobs/preview", data={"action": "department", "all": "y"})

    asked = client.post("/jobs/1/start", data={"department": "кладовая"}, headers=RUSSIAN)
    assert "По группам терминалов: Вход : будут удалены 2 сотрудника Склад : будут записаны 3 сотрудника" in text(
        asked.text
    )
    assert "Чтобы подтвердить, введите их количество: 2" in asked.text
    for typed in ("", "1"):
        assert (
            client.post("/jobs/1/start", data={"department": "кладовая", "apply": "1", "confirm": typed}).status_code
            == 422
        )
    client.post("/jobs/1/start", data={"department": "кладовая", "apply": "1", "confirm": "2"})
    run_jobs()

    assert [wished(app, number) for number in "123"] == [{STORE: True}] * 3


def test_merged_departments_are_shown_what_groups_give_and_take(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        make_group("Офис", [ids[ENTRANCE]], "Охрана")
        departments.add("Кладовая")

    asked = client.get("/departments/merge?department=1&into=2", headers=RUSSIAN)
    assert "По группам терминалов: Вход : будут удалены 2 сотрудника" in text(asked.text)
    client.post("/departments/merge", data={"department": "1", "into": "2"})
    run_jobs()

    assert wished(app, "1") == {}


class TestEmployeeForm:
    """The form of an employee asks once before terminals are given or taken."""

    def fields(self, **changed: str) -> dict[str, str]:
        return {"hikvision_id": "1", "full_name": "Анна", "department": "Охрана", "moved": "0", **changed}

    def test_known_employee_is_moved_after_it_was_shown(
        self, app: Flask, client: FlaskClient, ids: dict[str, int]
    ) -> None:
        with app.app_context():
            make_group("Офис", [ids[ENTRANCE]], "Охрана")
            make_group("Склад", [ids[STORE]], "Кладовая")

        asked = client.post("/employees/1", data=self.fields(department="Кладовая"), headers=RUSSIAN)
        assert asked.status_code == 422
        assert "Будет записан на: Склад; будет удалён с: Вход." in asked.text
        assert 'name="moved" value="1">Сохранить и применить' in asked.text
        assert 'value="Кладовая"' in asked.text
        assert wished(app, "1") == {ENTRANCE: True}
        saved = client.post("/employees/1", data=self.fields(department="Кладовая", moved="1"))

        assert saved.status_code == 303
        assert wished(app, "1") == {STORE: True}

    def test_group_of_a_single_employee_is_ticked(self, app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
        assert "groups_shown" not in client.get("/employees/1/edit").text
        with app.app_context():
            group_id = make_group("Двор", [ids[STORE]])
        assert "groups_shown" in client.get("/employees/1/edit").text
        fields = self.fields(groups_shown="1", groups=str(group_id))

        asked = client.post("/employees/1", data=fields, headers=RUSSIAN)
        assert "Будет записан на: Склад." in asked.text
        assert f'id="groups-{group_id}" name="groups" type="checkbox" value="{group_id}" checked' in asked.text
        client.post("/employees/1", data={**fields, "moved": "1"})
        assert wished(app, "1") == {STORE: True}
        assert "Двор отдельно" in text(client.get("/employees/1", headers=RUSSIAN).text)
        assert f'value="{group_id}" checked' in client.get("/employees/1/edit").text
        client.post("/employees/1", data=self.fields(groups_shown="1", moved="1"))

        assert wished(app, "1") == {}

    def test_new_employee_is_not_asked_and_nothing_is_asked_without_changes(
        self, app: Flask, client: FlaskClient, ids: dict[str, int]
    ) -> None:
        with app.app_context():
            make_group("Офис", [ids[ENTRANCE]], "Охрана")

        new = client.post("/employees/", data=self.fields(hikvision_id="9", without_face="1"))
        same = client.post("/employees/1", data=self.fields(full_name="Анна Ли"))

        assert (new.status_code, same.status_code) == (303, 303)
        assert wished(app, "9") == {ENTRANCE: True}
        assert "Офис по отделу" in text(client.get("/employees/1", headers=RUSSIAN).text)
