"""The dry run: a verdict for each row, with what changes and what is wrong, and nothing of the people is changed."""

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from hikflask.extensions import db
from hikflask.models import Employee, ImportRow, Job, Terminal
from hikflask.models.columns import database_now
from hikflask.services.changes import lifecycle
from hikflask.services.changes.run import run_slice
from hikflask.services.core.db import transaction
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches, corrections, queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import report as import_report
from hikflask.services.imports.table.options import Options
from tests.support import drawn_faces
from tests.support.captures import FACE, OTHER_FACE
from tests.support.imports import apply, batch, check, checked, counts, errors, made, rows, started, table
from tests.support.jobs import LONG, add_people, job, run
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.both_databases
def test_each_row_is_new_changed_unchanged_or_wrong() -> None:
    ids = add_people("1", "2", department="Охрана")

    found = checked("1;Иван Иванов 1;охрана", "2;Пётр Петров;", "3;Ольга Ёлкина;Склад", "4;;Склад", "№5;Анна;")

    assert counts(found) == (1, 1, 1, 2)
    same, changed, new, nameless, bad = rows(found)
    assert (same.verdict, same.employee_id, same.line, same.before) == ("unchanged", ids[0], 2, None)
    assert changed.before == {"name": "Иван Иванов 2"}
    assert changed.values == {"number": "2", "name": "Пётр Петров"}
    assert (new.verdict, new.values["department"], new.cells) == ("new", "Склад", None)
    assert (nameless.errors, nameless.cells) == ({"name": refusal("text_empty")}, ["4", "", "Склад"])
    assert bad.errors == {"number": refusal("number_invalid")}
    assert db.session.execute(select(func.count(Employee.id))).scalar_one() == 2


def test_rows_that_would_take_too_much_are_refused_and_none_of_them_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hikflask.services.imports.dry_run.BATCH", 1)
    monkeypatch.setattr("hikflask.services.imports.dry_run.MAX_BUDGET", 400)

    found = checked("1;Иван Иванов;", "2;Пётр Петров;", "3;Ольга Ёлкина;")

    ended = db.session.execute(select(Job).where(Job.id == batch(found).check_job_id)).scalar_one()
    assert (ended.state, ended.refusal) == ("failed", refusal("import_too_large", n=0))
    assert rows(found) == []
    assert batch(found).checked_at is None


def test_columns_and_rows_that_are_not_read_are_told_with_what_may_say_who_left() -> None:
    people = [
        f"{number};Иван Иванов {number};{'переведён' if number == 3 else ''};+7 900 {number:07};"
        for number in range(1, 5)
    ]

    found = checked(*people, ";;;;Директор", ";;;;Ёлкина", header="ID;ФИО;Движение;Связь;")

    layout = batch(found).layout
    assert layout["unused"] == {"Движение": ["переведён"], "Связь": []}
    assert (layout["rows_left_out"], layout["lines_left_out"]) == (2, ["6", "7"])
    how = import_report.read_as(batch(found))
    assert (how.unused, how.rows_left_out, how.lines_left_out) == (layout["unused"], 2, ["6", "7"])
    assert counts(found) == (4, 0, 0, 0)


def test_column_whose_days_come_late_stops_the_dry_run_and_is_asked_about_then() -> None:
    people = [f"{number};Иван Иванов {number};" for number in range(1, 8)]
    fields = {"number": 0, "name": 1}

    found = checked(*people, "8;Пётр Петров;31.12.2036", header="ID;ФИО;Пускать до")

    ended = db.session.execute(select(Job).where(Job.id == batch(found).check_job_id)).scalar_one()
    assert (ended.state, ended.refusal) == ("failed", refusal("days_column_unknown", columns="“Пускать до”"))
    assert (rows(found), batch(found).checked_at) == ([], None)
    assert batch(found).layout["sample"][-1] == ["8", "Пётр Петров", "31.12.2036"]
    batches.reopen(found)
    with pytest.raises(batches.DaysUnknown):
        batches.choose(found, fields, None)
    batches.choose(found, fields, None, options=Options(unused_days=(2,)))
    assert counts(check(found)) == (8, 0, 0, 0)


def test_table_of_nobody_here_without_names_asks_once_for_their_column() -> None:
    add_people("1")
    header = "Таб. №;Кого пускать;Отдел"

    found = checked("7;Иван Иванов;Цех", "8;Пётр Петров;Цех", header=header)

    ended = db.session.execute(select(Job).where(Job.id == batch(found).check_job_id)).scalar_one()
    assert (ended.state, ended.refusal) == ("failed", refusal("column_missing", n=2))
    assert rows(found) == []
    # Beside somebody who is here, a row is wrong alone; so is one whose ID lost zeros.
    found = checked("7;Иван Иванов;Цех", "1;Пётр Петров;Цех", header=header)
    assert errors(found) == {"7": {"number": refusal("number_unknown")}}


def test_second_table_below_and_a_sheet_of_those_who_left_stop_the_dry_run() -> None:
    below = made("1;Иван Иванов;Цех", "Табельный номер;Подразделение;ФИО", "2;Цех;Пётр Петров")
    former, archived = made("1;Иван Иванов;Цех"), made("1;Иван Иванов;Цех")
    layout = batch(former).layout
    with transaction():
        batches.get_one(former).layout = {**layout, "sheet": "Уволенные 2026"}
        batches.get_one(archived).layout = {**layout, "sheet": "Архив"}

    refusals = [run(started(import_jobs.start_check, found)).refusal for found in (below, former, archived)]

    assert refusals == [refusal("table_second_head", line=3), *[refusal("table_leavers", line=1)] * 2]
    assert rows(below) == rows(former) == rows(archived) == []


def test_rows_of_groups_are_departments_and_what_is_wrong_is_given_back_with_them() -> None:
    found = checked(
        "Цех 1;;", "1;Иван Иванов;Слесарь", "№2;Анна Иванова;", "Склад;;", "3;Пётр Петров;", "Итого;;3",
        header="Таб. №;ФИО;Должность",
    )  # fmt: skip

    assert batch(found).layout["columns"] == ["Таб. №", "ФИО", "Должность", "Подразделение"]
    assert [(row.line, row.values["department"], row.cells) for row in rows(found)] == [
        (3, "Цех 1", None),
        (4, "Цех 1", ["№2", "Анна Иванова", "", "Цех 1"]),
        (6, "Склад", None),
    ]


def test_rows_of_groups_are_known_once_id_and_name_are_chosen() -> None:
    found = batches.make(table("Цех 1;", "1;Иван Иванов", header="Пропуск;Кто"), None).id
    batches.choose(found, {"number": 0, "name": 1}, None)

    assert batch(found).fields == {"number": 0, "name": 1, "department": 2}
    assert [row.values["department"] for row in rows(check(found))] == ["Цех 1"]
    batches.reopen(found)
    batches.choose(found, {"number": 0, "name": 1}, None)
    assert [row.values for row in rows(check(found))] == [{"number": "1", "name": "Иван Иванов"}]


def test_options_apply_to_all_rows() -> None:
    add_people("1", "2", department="Охрана")
    options = Options("changes", clear=("department",), pad_to=1, strip_prefix="T-")

    found = checked("T-1;Иван Иванов 1;", "T-2;Пётр Петров;Охрана", "T-3;Ольга Ёлкина;Склад", options=options)

    cleared, renamed, unknown = rows(found)
    assert (cleared.before, renamed.before) == ({"department": "Охрана"}, {"name": "Иван Иванов 2"})
    assert (unknown.verdict, unknown.warnings, unknown.errors) == ("unchanged", {"row": refusal("employee_new")}, None)
    assert counts(found) == (0, 2, 1, 0)


def test_small_files_may_take_less_than_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hikflask.services.imports.dry_run.BUDGET", 0)
    monkeypatch.setattr("hikflask.services.imports.dry_run.BUDGET_TIMES", 1)

    found = checked(*(f"{number};Иван Иванов {number};" for number in range(5)))

    assert (batch(found).checked_at, rows(found)) == (None, [])


def test_table_stays_for_another_choice_of_columns_until_the_import_begins() -> None:
    found = made("1;Иван Иванов;")
    (file,) = stored_files.folder().iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    check(found)
    assert list(stored_files.folder().iterdir()) == [file]
    assert batch(found).layout["sample"] == [["1", "Иван Иванов", ""]]

    apply(found)

    assert list(stored_files.folder().iterdir()) == []
    assert (batch(found).table_file, batch(found).table_name, batch(found).layout["sample"]) == ("", "люди.csv", [])


@pytest.mark.both_databases
def test_same_id_in_several_rows_makes_them_all_wrong() -> None:
    found = checked("1;Иван Иванов;", "2;Ольга Ёлкина;", "1;Пётр Петров;Склад")

    first, other, last = rows(found)
    assert first.errors == {"number": refusal("number_twice", lines="4")}
    assert last.errors == {"number": refusal("number_twice", lines="2")}
    assert (first.cells, first.verdict) == (["1", "Иван Иванов", ""], "wrong")
    assert other.verdict == "new"
    assert counts(found) == (1, 0, 0, 2)


def test_signature_below_a_list_is_nobody_unless_its_id_is_here_or_corrected() -> None:
    add_people("Chief")
    people = [f"{number:04};Иван Иванов {number};" for number in range(1, 6)]
    signed = ("Director;Ray Lee;", "Chief;Ann Lee;", "Директор;Иванов И.И.;")

    found = checked(*people, *signed)
    few, many = checked(people[1], signed[0]), checked(*people, "Ann;Ann;", "Ray;Ray;", "Lee;Lee;", "Kim;Kim;")

    asked = {"number": refusal("number_without_digits")}
    assert errors(found) == {"Director": asked, "Директор": {"number": refusal("number_invalid")}}
    assert (errors(few), errors(many)) == ({}, {})
    assert errors(checked(*people[1:3], signed[0])) == {"Director": asked}
    assert errors(checked(*people, "Director;;")) == {"Director": {"name": refusal("text_empty")}}
    assert counts(found) == (5, 1, 0, 2)
    wrong = next(row for row in rows(found) if row.errors == asked)
    assert wrong.cells == ["Director", "Ray Lee", ""]
    assert corrections.correct(found, {wrong.id: wrong.cells}) == 2
    assert errors(found)["Director"] == asked
    assert corrections.correct(found, {wrong.id: ["Director", "Ray Lee", "Office"]}) == 1
    batches.reopen(found)
    assert errors(check(found)) == {"Директор": {"number": refusal("number_invalid")}}


def test_rows_that_are_wholly_equal_are_one_row() -> None:
    found = checked("1;Иван Иванов;", "2;Ольга Ёлкина;", "1;Иван Иванов;", "2;Ольга Ёлкина;", "2;Ольга Ёлкина;Склад")

    assert [(row.number, row.line, row.verdict) for row in rows(found)] == [
        ("1", 2, "new"), ("2", 3, "wrong"), ("2", 6, "wrong"),
    ]  # fmt: skip
    assert errors(found)["2"] == {"number": refusal("number_twice", lines="3")}
    assert counts(found) == (1, 0, 0, 2)


@pytest.mark.parametrize("hired", ["Дата приема", "Кадровые данные Дата приема", "Hire Date (last)"])
def test_who_was_hired_again_is_no_leaver_by_the_day_before(hired: str) -> None:
    add_people("1", "2", "3")

    found = checked(
        *("1;31.12.2024;15.01.2026", "2;31.12.2025;01.02.2020", "3;31.12.2024;01.02.2020", "3;;15.01.2026"),
        header=f"ID;Дата увольнения;{hired}",
    )

    assert [(row.number, row.verdict) for row in rows(found)] == [
        ("1", "unchanged"), ("2", "changed"), ("3", "wrong"), ("3", "wrong"),
    ]  # fmt: skip


def test_who_left_is_deactivated_and_nobody_is_activated() -> None:
    people = add_people("1", "2", "3", "4")
    set_active(people[1], active=False)
    header = "ID;Уволен"

    found = checked("1;да", "2;нет", "3;", "4;когда-нибудь", "5;уволен", "2;", header=header)

    assert [row.before for row in rows(found)][:1] == [{"left": False}]
    said = errors(found)
    assert said.pop("2")["number"]["code"] == "number_twice"
    assert said == {"4": {"left": refusal("left_unreadable")}}
    assert counts(found) == (0, 1, 2, 3)


def test_deactivated_person_who_is_said_to_work_is_wrong() -> None:
    set_active(add_people("1")[0], active=False)

    assert errors(checked("1;нет", header="ID;Уволен")) == {"1": {"left": refusal("inactive_here")}}


def test_chosen_terminal_is_among_what_changes_unless_they_are_wanted_there(terminal: Terminal) -> None:
    people = add_people("1", "2", "3")
    send_to_terminal(people[0], terminal.id)
    set_active(people[2], active=False)

    found = checked(*(f"{n};Иван Иванов {n};" for n in "123"), terminal_id=terminal.id)

    assert [(row.verdict, row.before) for row in rows(found)] == [
        ("unchanged", None),
        ("changed", {"terminal": False}),
        ("unchanged", None),
    ]


def test_number_that_is_leaving_is_wrong(terminal: Terminal) -> None:
    gone = add_people("1")[0]
    send_to_terminal(gone, terminal.id)
    delete_employee(gone)

    assert errors(checked("1;Пётр Петров;")) == {"1": {"number": refusal("number_leaving", n="1", t="Вход")}}


def test_photos_belong_to_the_rows_of_their_ids() -> None:
    add_people("3")
    pictures = {
        "фото/1.jpg": FACE, "2.PNG": b"no picture", "3.jpeg": OTHER_FACE, "9.jpg": FACE, "Иван.jpg": FACE,
        "__MACOSX/._1.jpg": b"", "Thumbs.db": b"",
    }  # fmt: skip

    found = checked("1;Иван Иванов;", "2;Ольга Ёлкина;", pictures=pictures)

    assert counts(found) == (2, 1, 0, 2)
    with_photo, bad, unnamed, alone, nobody = rows(found)
    assert (with_photo.photo, len(with_photo.values["photo"])) == ("фото/1.jpg", 64)
    assert (bad.verdict, bad.errors) == ("new", {"photo": refusal("photo_unreadable")})
    assert unnamed.errors == {"photo": refusal("photo_not_named")}
    assert (alone.line, alone.number, alone.before) == (None, "3", {"photo": None})
    assert nobody.errors == {"photo": refusal("photo_nobody")}


def test_photos_belong_to_those_whose_full_name_they_have_in_the_table_first_and_then_here() -> None:
    add_people("3", "4")  # Иван Иванов 3 and 4
    pictures = {"Анна Ёлкина.jpg": FACE, "фото/пётр петров.PNG": OTHER_FACE, "Иван Иванов 3.jpg": FACE, "4.jpg": FACE}
    twice = {"Яна Чехова.jpg": FACE, "Иван Иванов 4.jpg": FACE}

    found = checked(
        "1;Анна Елкина;", "2;Пётр Петров;", "7;Яна Чехова;", "8;Яна  Чехова;", pictures={**pictures, **twice}
    )

    assert {row.number: row.photo for row in rows(found)} == {
        "1": "Анна Ёлкина.jpg", "2": "фото/пётр петров.PNG", "7": "", "8": "", "": "Яна Чехова.jpg",
        "3": "Иван Иванов 3.jpg", "4": "4.jpg",
    }  # fmt: skip
    assert errors(found) == {
        "": {"photo": refusal("photo_of_namesakes", n="7")},
        "4": {"photo": refusal("photo_twice", others="Иван Иванов 4.jpg")},
    }
    apply(found)
    assert queries.applied(found) == 5


def test_dark_and_blurred_photos_are_warned_of_and_come_in() -> None:
    dark = drawn_faces.jpeg(drawn_faces.lit(drawn_faces.portrait((450, 600)), 0.15))
    blurred = drawn_faces.jpeg(drawn_faces.blurred(drawn_faces.portrait((450, 600)), 12))

    found = checked("1;Анна;", "2;Яна;", "3;Ева;", "4;;", pictures={"1.jpg": dark, "2.jpg": blurred, "3.jpg": FACE})

    assert {row.number: row.warnings for row in rows(found)} == {
        "1": {"photo": refusal("photo_dark")}, "2": {"photo": refusal("photo_blurred")}, "3": None, "4": None,
    }  # fmt: skip
    assert counts(found) == (3, 0, 0, 1)
    report = import_report.of_batch(batch(found), 10)
    assert [(row.number, list(row.errors), list(row.warnings)) for row in report.rows] == [
        ("1", [], ["photo"]), ("2", [], ["photo"]), ("4", ["name"], []),
    ]  # fmt: skip
    apply(found)
    assert {employee.number for employee in db.session.query(Employee).filter(Employee.photo_id.is_not(None))} == {
        "1", "2", "3",
    }  # fmt: skip

    again = checked("1;Анна;", pictures={"1.jpg": dark})
    assert [(row.verdict, row.warnings) for row in rows(again)] == [("unchanged", None)]


def test_photos_alone_belong_to_employees_by_full_name() -> None:
    one, *_ = add_people("1", "2")

    found = checked(pictures={"Иван Иванов 1.jpg": FACE, "Иван Иванов.jpg": FACE})

    assert counts(found) == (0, 1, 0, 1)
    assert [(row.employee_id, row.photo) for row in rows(found)] == [
        (None, "Иван Иванов.jpg"),
        (one, "Иван Иванов 1.jpg"),
    ]


def test_refused_photo_is_said_and_its_person_comes_in_without_it() -> None:
    add_people("2", "3", "4")
    bad, table = b"no picture", ("1;Анна;", "2;Пётр Чехов;", "3;Иван Иванов 3;", "5!;Яна;")

    found = checked(*table, pictures={"1.jpg": bad, "2.jpg": bad, "3.jpg": bad, "4.jpg": bad, "5!.jpg": bad})

    said = {"photo": refusal("photo_unreadable")}
    new, changed, same, wrong, *alone = rows(found)
    assert (new.verdict, new.errors, new.cells) == ("new", said, ["1", "Анна", ""])
    assert (changed.verdict, changed.errors, changed.before) == ("changed", said, {"name": "Иван Иванов 2"})
    # Nothing else comes of these rows.
    assert [(row.number, row.verdict, row.errors) for row in (same, alone[1])] == [
        ("3", "wrong", said),
        ("4", "wrong", said),
    ]
    assert list(wrong.errors or {}) == ["number"]
    assert counts(found) == (1, 1, 0, 4)
    assert queries.without_photo(found) == 2


def test_photo_without_the_required_consent_is_refused_and_the_person_comes_in(app: Flask) -> None:
    app.config["CONSENT"] = "require"

    found = checked("1;Иван;", pictures={"1.jpg": FACE})

    assert (counts(found), errors(found)) == ((1, 0, 0, 0), {"1": {"photo": refusal("consent_missing")}})


def test_formula_is_wrong_and_what_our_export_protects_is_right() -> None:
    found = checked("1;=1+2;", "2;'-Иван;'=Склад", "3;Иван;+Склад")

    assert errors(found) == {"1": {"name": refusal("formula")}, "3": {"department": refusal("formula")}}
    assert rows(found)[1].values == {"number": "2", "name": "-Иван", "department": "=Склад"}


@pytest.mark.both_databases
def test_check_that_is_done_again_leaves_no_row_twice() -> None:
    found = made(*(f"{n};Иван Иванов {n};Склад" for n in range(1200)))
    claim = started(import_jobs.start_check, found)
    seen: list[str] = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.extend([statement] if statement.startswith("INSERT INTO import_row") else [])
        if len(seen) == 2:
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        run_slice(claim, LONG)
    event.remove(db.engine, "before_cursor_execute", die)
    assert len(rows(found)) == 500
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    (again,) = lifecycle.claim_orphans()
    run(again)

    assert counts(found) == (1200, 0, 0, 0)
    assert db.session.execute(select(func.count(ImportRow.id.distinct()))).scalar_one() == 1200
    assert len({row.number for row in rows(found)}) == 1200
    assert job(claim.job_id).state == "done"
