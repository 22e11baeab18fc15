"""The pages of groups: nothing changes for anybody before it was shown, and many removals need their number typed."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Enrolment, Job
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.run import run_slice
from hikflask.services.departments import registry as departments
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import queries
from hikflask.services.groups.queries import Listed
from hikflask.web.groups import groups as group_pages
from tests.support.desk import ENGLISH
from tests.support.employees import by_number
from tests.support.filled_forms import digest_of, form_to
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group, wishes
from tests.support.refusals import refusal
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
    saved = client.post("/groups/", data={**fields, "shown": digest_of(asked.text)}, headers=RUSSIAN)
    run_jobs()

    assert (saved.status_code, saved.location) == (303, "/jobs/1")
    assert "Терминалы группы «Офис»" in client.get("/jobs/1", headers=RUSSIAN).text
    (group,) = groups(app)
    assert (group.name, group.departments, group.alone) == ("Офис", ("Охрана",), 1)
    assert [wished(app, number) for number in "123"] == [{ENTRANCE: True}] * 3
    page = text(client.get("/groups/", headers=RUSSIAN).text)
    assert "Офис Терминалы: Вход Отделы: Охрана · отдельно 1 сотрудник А А А 3 сотрудника" in page


def test_job_of_a_group_counts_people_on_terminals_and_says_which_terminal_refused(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    fields = {"name": "Офис", "terminals": [str(one) for one in ids.values()], "departments": ["1"]}
    asked = client.post("/groups/", data=fields, headers=RUSSIAN)
    client.post("/groups/", data={**fields, "shown": digest_of(asked.text)})
    run_jobs()

    page = text(client.get("/jobs/1", headers=RUSSIAN).text)
    assert "ожидает: 4 Терминал ещё не подтвердил: 4 записи на терминалах." in page
    with app.app_context():
        here = db.update(Enrolment).where(Enrolment.terminal_id == ids[STORE], Enrolment.number == "1")
        db.session.execute(here.values(next_attempt_at=None, refusal=refusal("no_photo")))
        db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
        db.session.commit()
        for claim in lifecycle.claim_orphans():
            run_slice(claim)

    page = text(client.get("/jobs/1", headers=RUSSIAN).text)
    assert "нужно фото: 1 ожидает: 3 Терминал ещё не подтвердил: 3 записи на терминалах." in page
    assert page.endswith("Не выполнено: 1 запись на терминале 1 Нет фото на терминале «Склад» Анна")


def test_group_without_consequences_is_saved_at_once(app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
    answer = client.post("/groups/", data={"name": " Офис ", "terminals": str(ids[STORE]), "department": "Новый"})

    assert (answer.status_code, answer.location) == (303, "/groups/1")
    assert [(one.name, one.departments) for one in groups(app)] == [("Офис", ("Новый",))]


@pytest.mark.usefixtures("one_is_many")
def test_many_who_lose_a_terminal_need_their_number_typed(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")
    fields = {"name": "Офис", "terminals": str(ids[STORE]), "departments": "1"}

    asked = client.post(f"/groups/{group_id}", data=fields, headers=ENGLISH)
    agreed = {**fields, "shown": digest_of(asked.text)}
    assert "Вход : 2 employees will be removed Склад : 2 employees will be added" in text(asked.text)
    assert "Access is taken from many. To confirm, enter how many: 2" in asked.text
    refused = client.post(f"/groups/{group_id}", data={**agreed, "confirm": "3"}, headers=ENGLISH)
    assert refused.status_code == 409
    assert "By this, many people lose access. To confirm, enter how many: 2." in refused.text
    assert re.findall(r'id="([^"]+)"[^>]* autofocus', refused.text) == ["confirm"]
    assert wished(app, "1") == {ENTRANCE: True}
    saved = client.post(f"/groups/{group_id}", data={**agreed, "confirm": "2"}, headers=ENGLISH)
    run_jobs()

    assert saved.location == "/jobs/1"
    assert [wished(app, number) for number in "12"] == [{STORE: True}] * 2


@pytest.mark.usefixtures("one_is_many")
def test_group_is_deleted_after_its_changes_were_shown(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана")
        empty = make_group("Склад", [ids[STORE]])

    page = client.get(f"/groups/{group_id}/delete", headers=RUSSIAN).text
    assert "Вход : будут удалены 2 сотрудника" in text(page)
    question = form_to(page, f"/groups/{group_id}/delete")
    assert question.send(client, confirm="1").status_code == 409
    deleted = question.send(client, confirm="2")
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
    fields = {"name": "Офис", "terminals": str(ids[ENTRANCE]), "removed": "3", "confirm": "1"}
    asked = client.post(f"/groups/{group_id}", data=fields)
    client.post(f"/groups/{group_id}", data={**fields, "shown": digest_of(asked.text)})

    assert groups(app)[0].alone == 0


def test_page_of_a_group_shows_the_state_of_its_terminals_and_of_its_people_there(
    app: Flask, client: FlaskClient, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        group_id = make_group("Офис", [ids[ENTRANCE]], "Охрана", added=["3"])
        first = db.update(Enrolment).where(Enrolment.number == "1")
        db.session.execute(first.values(next_attempt_at=None, refusal=refusal("no_photo")))
        db.session.execute(db.delete(Enrolment).where(Enrolment.number == "3"))
        db.session.commit()

    page = client.get(f"/groups/{group_id}", headers=RUSSIAN).text
    assert text(page).startswith(
        "> Группы терминалов Офис Справка: Группы терминалов Изменить Ещё Удалить Терминалы 1 Вход"
    )
    assert "Сотрудники 3 Охрана отдельно 1 сотрудник А Анна А Анна А Анна" in text(page)
    states = re.findall(r'class="dot dot-(\w+)" role="img" tabindex="0" aria-label="([^"]+)"', page)
    assert states == [
        ("bad", "отказ: Вход"),
        ("none", "выполняется: Вход"),
        ("none", "не записан ни на один терминал группы"),
    ]
    assert f'href="/groups/{group_id}"' in client.get("/employees/1").text
    assert client.get("/groups/77").status_code == 404

    monkeypatch.setattr(group_pages, "MAX_FACES", 1)
    short = client.get(f"/groups/{group_id}", headers=RUSSIAN).text
    assert text(short).endswith("А Анна И ещё 2, в списке: Охрана")
    assert 'href="/employees/?department=%D0%9E%D1%85%D1%80%D0%B0%D0%BD%D0%B0"' in short


class TestDraft:
    """The form while one chooses: nothing is saved, and what a save would change is shown."""

    def draft(self, client: FlaskClient, **fields: object) -> str:
        answer = client.post("/groups/draft", data={"name": "Офис", **fields}, headers=RUSSIAN)
        assert answer.status_code == 200
        return answer.text

    def test_department_and_person_become_chips_and_what_they_change_is_shown(
        self, app: Flask, client: FlaskClient, ids: dict[str, int]
    ) -> None:
        terminal = str(ids[ENTRANCE])
        page = self.draft(client, terminals=terminal, department=" охрана ", find="Анна")
        assert 'id="departments-1" name="departments" type="checkbox" value="1" checked' in page
        assert "Что изменится: Вход : будут записаны 2 сотрудника" in text(page)
        assert 'data-says="Что изменится: Вход: будут записаны 2 сотрудника"' in page
        assert page.count('name="chosen" value=') == 3
        assert re.findall(r'id="([^"]+)"[^>]* autofocus', page) == ["find"]

        page = self.draft(client, terminals=terminal, departments="1", find="Анна", searched="Анна", chosen="3")
        assert 'id="chosen-3" name="chosen" type="checkbox" value="3" checked' in page
        assert "Что изменится: Вход : будут записаны 3 сотрудника" in text(page)
        assert 'id="add-3" type="button" aria-disabled="true"' in page

        saved = form_to(page, "/groups/").send(client)
        assert saved.location == "/jobs/1"
        (group,) = groups(app)
        assert (group.departments, group.alone) == (("Охрана",), 1)

    def test_htmx_gets_the_fields_alone_and_the_focus_stays(
        self, client: FlaskClient, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fields = {"name": "", "terminals": str(ids[STORE]), "added": "№"}
        part = client.post("/groups/draft", data=fields, headers={"HX-Request": "true", **RUSSIAN}).text

        assert part.lstrip().startswith('<div class="group-draft" id="group-draft">')
        assert "autofocus" not in part
        assert "До сохранения здесь видно, кто какие терминалы получит и потеряет." in part
        fields["added"] = ""
        part = client.post("/groups/draft", data=fields, headers={"HX-Request": "true", **RUSSIAN}).text
        assert "Терминалов никто не получит и не потеряет." in part

        # Nothing is counted for a search, nor of so many people that others would wait for it.
        here = {"HX-Request": "true", **RUSSIAN}
        part = client.post("/groups/draft", data=fields, headers={**here, "HX-Target": "div#results"}).text
        assert "Терминалов никто не получит и не потеряет." not in part
        monkeypatch.setattr(group_pages, "MAX_LIVE", 2)
        part = client.post("/groups/draft", data=fields, headers={**here, "HX-Target": "aside#preview"}).text
        assert "До сохранения здесь видно, кто какие терминалы получит и потеряет." in part
        assert "Терминалов никто не получит и не потеряет." in self.draft(client, terminals=str(ids[STORE]))

    def test_enter_in_the_search_finds_and_saves_nothing(self, app: Flask, client: FlaskClient, office: int) -> None:
        found = client.post(f"/groups/{office}", data={"name": "Двор", "find": "Анна"}, headers=RUSSIAN)

        assert (found.status_code, groups(app)[0].name) == (200, "Офис")
        assert 'aria-label="Добавить: Анна"' in found.text
        assert f'formaction="/groups/{office}/draft"' in found.text


def test_wrong_input_is_told_beside_its_field(app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
    with app.app_context():
        make_group("Склад", [ids[STORE]])
    for spoilt, sentence in [
        ({"name": ""}, "Поле «Название» не должно быть пустым."),
        ({"name": "Склад"}, "Такое название есть у другой группы. Выберите другое."),
        ({"added": "99"}, "Сотрудника с ID 99 нет."),
        ({"added": "№"}, "Введите ID через пробел: латинские буквы и цифры, до 32 знаков в каждом."),
    ]:
        answer = client.post("/groups/", data={"name": "Офис", **spoilt}, headers=RUSSIAN)

        assert answer.status_code in {409, 422}
        assert sentence in text(answer.text)
        assert len(groups(app)) == 1


def test_who_is_no_administrator_only_looks(app: Flask, ids: dict[str, int]) -> None:
    with app.app_context():
        make_group("Офис", [ids[ENTRANCE]], "Охрана")

    viewer = client_of(app, VIEWER)
    assert "Офис" in viewer.get("/groups/", headers=RUSSIAN).text
    assert "/groups/new" not in viewer.get("/groups/").text
    assert "/groups/1/edit" not in viewer.get("/groups/1").text
    assert "/groups/1/edit" in client_of(app, ADMIN, "Вера").get("/groups/1").text
    assert client_of(app, OPERATOR, "Ольга").post("/groups/", data={"name": "Склад"}).status_code == 403
    assert 'href="/groups/"' in client_of(app, VIEWER, "Яна").get("/terminals/").text


@pytest.mark.usefixtures("one_is_many")
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
    agreed = {"department": "кладовая", "shown": digest_of(asked.text)}
    for typed in ("", "1"):
        assert client.post("/jobs/1/remove", data={**agreed, "confirm": typed}).status_code == 422
    client.post("/jobs/1/remove", data={**agreed, "confirm": "2"})
    run_jobs()

    assert [wished(app, number) for number in "123"] == [{STORE: True}] * 3


@pytest.mark.usefixtures("one_is_many")
def test_merged_departments_are_shown_what_groups_give_and_take(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        make_group("Офис", [ids[ENTRANCE]], "Охрана")
        departments.add("Кладовая")

    asked = client.get("/departments/merge?department=1&into=2", headers=RUSSIAN)
    assert "По группам терминалов: Вход : будут удалены 2 сотрудника" in text(asked.text)
    form_to(asked.text, "/departments/merge/remove").send(client, confirm="2")
    run_jobs()

    assert wished(app, "1") == {}


CHANGED = "This has changed since it was shown. Nothing is done: check it again."
CHANGED_IN_RUSSIAN = "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз."


@pytest.fixture
def office(app: Flask, ids: dict[str, int]) -> int:
    """The group of the guards, who are at the entrance by it."""
    with app.app_context():
        return make_group("Офис", [ids[ENTRANCE]], "Охрана")


def move(app: Flask, number: str, department: str) -> None:
    """Let a colleague move somebody."""
    with app.app_context():
        employee = by_number(number)
        save_employee(Draft(number, "Анна", department), employee_id=employee.id)


@pytest.mark.both_databases
@pytest.mark.usefixtures("one_is_many")
def test_change_for_other_people_than_were_shown_is_void(
    app: Flask, client: FlaskClient, ids: dict[str, int], office: int
) -> None:
    fields = {"name": "Офис", "terminals": str(ids[STORE]), "departments": "1"}
    asked = client.post(f"/groups/{office}", data=fields)
    for number, department in (("1", ""), ("3", "Охрана")):
        move(app, number, department)
    agreed = {**fields, "shown": digest_of(asked.text), "confirm": "2"}

    for headers, sentence in ((ENGLISH, CHANGED), (RUSSIAN, CHANGED_IN_RUSSIAN)):
        void = client.post(f"/groups/{office}", data=agreed, headers=headers)
        assert void.status_code == 409
        assert sentence in void.text
        assert form_to(void.text, f"/groups/{office}").fields["confirm"] == ""

    assert wished(app, "3") == {ENTRANCE: True}
    agreed["shown"] = digest_of(void.text)
    assert client.post(f"/groups/{office}", data=agreed).location == "/jobs/1"


def test_change_that_is_typed_after_another_one_was_shown_is_shown_itself(
    app: Flask, client: FlaskClient, ids: dict[str, int], office: int
) -> None:
    fields = {"name": "Офис", "terminals": [str(ids[ENTRANCE]), str(ids[STORE])], "departments": "1"}
    asked = client.post(f"/groups/{office}", data=fields, headers=ENGLISH)
    assert "Склад : 2 employees will be added" in text(asked.text)

    other = client.post(f"/groups/{office}", data={"name": "Офис", "shown": digest_of(asked.text)}, headers=ENGLISH)

    assert other.status_code == 409
    assert "Вход : 2 employees will be removed" in text(other.text)
    assert wished(app, "1") == {ENTRANCE: True}


def test_group_is_deleted_only_for_those_who_were_shown(app: Flask, client: FlaskClient, office: int) -> None:
    question = form_to(client.get(f"/groups/{office}/delete").text, f"/groups/{office}/delete")
    for number, department in (("1", ""), ("3", "Охрана")):
        move(app, number, department)

    void = question.send(client, ENGLISH, confirm="2")

    assert void.status_code == 409
    assert CHANGED in void.text
    assert len(groups(app)) == 1
    assert form_to(void.text, f"/groups/{office}/delete").send(client, confirm="2").location == "/jobs/1"


@pytest.mark.usefixtures("office")
def test_people_are_moved_by_a_job_only_as_it_was_shown(app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
    client.post("/jobs/preview", data={"action": "department", "all": "y"})
    agreed = {"department": "Кладовая", "confirm": "2"}
    agreed["shown"] = digest_of(client.post("/jobs/1/start", data=agreed).text)
    with app.app_context():
        make_group("Склад", [ids[STORE]], "Кладовая")

    void = client.post("/jobs/1/remove", data=agreed, headers=ENGLISH)

    assert void.status_code == 422
    assert CHANGED in void.text
    assert "Склад : 3 employees will be added" in text(void.text)
    agreed["shown"] = digest_of(void.text)
    assert client.post("/jobs/1/remove", data={**agreed, "confirm": "2"}).location == "/jobs/1"


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
        moved = digest_of(asked.text, "moved")
        assert f'name="moved" value="{moved}">Сохранить и применить' in asked.text
        assert 'value="Кладовая"' in asked.text
        assert wished(app, "1") == {ENTRANCE: True}
        saved = client.post("/employees/1", data=self.fields(department="Кладовая", moved=moved))

        assert saved.status_code == 303
        assert wished(app, "1") == {STORE: True}

    def test_other_terminals_than_were_shown_are_asked_about_again(
        self, app: Flask, client: FlaskClient, ids: dict[str, int]
    ) -> None:
        with app.app_context():
            make_group("Офис", [ids[ENTRANCE]], "Охрана")
            make_group("Склад", [ids[STORE]], "Кладовая")
        asked = client.post("/employees/1", data=self.fields(department="Кладовая"), headers=RUSSIAN)
        moved = digest_of(asked.text, "moved")

        for headers, sentence in ((RUSSIAN, "Будет удалён с: Вход."), (ENGLISH, "Will be removed from: Вход.")):
            other = client.post("/employees/1", data=self.fields(department="", moved=moved), headers=headers)
            assert other.status_code == 422
            assert sentence in re.sub("[\u2068\u2069]", "", other.text)
        assert wished(app, "1") == {ENTRANCE: True}
        client.post("/employees/1", data=self.fields(department="", moved=digest_of(other.text, "moved")))

        assert wished(app, "1") == {}

    def test_group_of_a_single_employee_is_ticked(self, app: Flask, client: FlaskClient, ids: dict[str, int]) -> None:
        assert "groups_shown" not in client.get("/employees/1/edit").text
        with app.app_context():
            group_id = make_group("Двор", [ids[STORE]])
        assert "groups_shown" in client.get("/employees/1/edit").text
        fields = self.fields(groups_shown="1", groups=str(group_id))

        asked = client.post("/employees/1", data=fields, headers=RUSSIAN)
        assert "Будет записан на: Склад." in asked.text
        assert f'id="groups-{group_id}" name="groups" type="checkbox" value="{group_id}" checked' in asked.text
        client.post("/employees/1", data={**fields, "moved": digest_of(asked.text, "moved")})
        assert wished(app, "1") == {STORE: True}
        assert "Двор отдельно" in text(client.get("/employees/1", headers=RUSSIAN).text)
        assert f'value="{group_id}" checked' in client.get("/employees/1/edit").text
        asked = client.post("/employees/1", data=self.fields(groups_shown="1"))
        client.post("/employees/1", data=self.fields(groups_shown="1", moved=digest_of(asked.text, "moved")))

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
