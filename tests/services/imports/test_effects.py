"""What an import will do to people is determined for each row by the dry run, and counted."""

from typing import Any

import pytest
from flask_babel import force_locale

from hikflask.extensions import db
from hikflask.labels.imports import effect_detail
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.imports import effects, losses, queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import report as import_report
from hikflask.services.imports.table.options import Options
from tests.support.captures import FACE, OTHER_FACE
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group
from tests.support.imports import apply, batch, checked, counts, errors, rows
from tests.support.jobs import add_people, run
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def of_rows(batch_id: int) -> dict[str, Any]:
    return {row.number: row.effects for row in rows(batch_id) if row.effects}


def counted(batch_id: int) -> dict[str, int]:
    return {kind: count for kind, count in batch(batch_id).effects.items() if count}


def enrolled(**names: str) -> None:
    """Add employees whose photos are here."""
    table = [f"{number.removeprefix('_')};{name};" for number, name in names.items()]
    apply(checked(*table, pictures={f"{number.removeprefix('_')}.jpg": FACE for number in names}))


@pytest.mark.both_databases
def test_wholly_other_name_beside_a_face_waits_until_it_is_confirmed() -> None:
    enrolled(_1="Иванов Иван Иванович", _2="Петрова Анна Сергеевна")
    add_people("3")
    batch_id = checked("1;Сидоров Пётр Петрович;", "2;Смирнова Анна Сергеевна;", "3;Юрий Ким;", "4;Олег Цой;")

    assert of_rows(batch_id) == {"1": {"other_person": "Иванов Иван Иванович"}}
    assert counted(batch_id) == {"other_person": 1}
    assert effects.unconfirmed(batch_id) == 1
    job = apply(batch_id)
    assert job.total == 3
    names = dict(db.session.execute(db.select(Employee.number, Employee.name)).all())
    assert names == {
        "1": "Иванов Иван Иванович",
        "2": "Смирнова Анна Сергеевна",
        "3": "Юрий Ким",
        "4": "Олег Цой",
    }
    assert effects.unconfirmed(batch_id) == 1


@pytest.mark.both_databases
def test_confirmed_row_is_applied_and_can_be_unticked_before() -> None:
    enrolled(_1="Иванов Иван", _2="Петров Пётр")
    batch_id = checked("1;Сидоров Олег;", "2;Юрий Ким;")
    first, second = (row.id for row in rows(batch_id))

    effects.confirm_rows(batch_id, [first, second], [first, second])
    assert effects.unconfirmed(batch_id) == 0
    effects.confirm_rows(batch_id, [second], [])
    assert effects.unconfirmed(batch_id) == 1
    apply(batch_id)

    names = dict(db.session.execute(db.select(Employee.number, Employee.name)).all())
    assert names == {"1": "Сидоров Олег", "2": "Петров Пётр"}
    with pytest.raises(ServiceError, match="import_started"):
        effects.confirm_rows(batch_id, [second], [second])


def test_leaver_with_a_wholly_other_name_takes_no_access_until_confirmed() -> None:
    ids = add_terminals(ENTRANCE)
    enrolled(_1="Иванов Иван")
    employee_id = db.session.execute(db.select(Employee.id)).scalar_one()
    send_to_terminal(employee_id, ids[ENTRANCE])
    db.session.commit()
    batch_id = checked("1;Сидоров Олег;да", header="ID;ФИО;Уволен")

    assert of_rows(batch_id) == {
        "1": {"other_person": "Иванов Иван", "leaving": True, "lose_terminals": [ENTRANCE]},
    }
    assert (queries.leavers(batch_id), losses.of_import(batch_id).people) == (0, 0)
    effects.confirm_numbers(batch_id, ["1"])
    assert (queries.leavers(batch_id), losses.of_import(batch_id).people) == (1, 1)


@pytest.mark.both_databases
def test_who_loses_which_terminals_leaves_or_gets_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "BATCH", 2)
    ids = add_terminals(ENTRANCE, STORE)
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    for number in "1234":
        saved = save_employee(Draft(number, "Иван", "Охрана", valid_to="2036-12-31"))
        send_to_terminal(saved.row.id, ids[STORE])
    header = "ID;Отдел;Уволен;Действует до"

    batch_id = checked("1;Охрана;да;", "2;Склад;;31.12.2036", "3;Охрана;;31.12.2037", "4;Охрана;;", header=header)

    assert of_rows(batch_id) == {
        "1": {"leaving": True, "lose_terminals": [ENTRANCE, STORE]},
        "2": {"lose_terminals": [ENTRANCE]},
        "3": {"validity_lifted": "2036-12-31"},
    }
    assert counted(batch_id) == {"lose_terminals": 2, "leaving": 1, "validity_lifted": 1}


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("number", "meant"),
    [("12", "00012"), ("T12", "00012"), ("000O12", "00012"), ("А7", "A7"), ("9", None), ("900", None)],
)
def test_leaver_who_is_not_here_may_be_somebody_with_another_id(number: str, meant: str | None) -> None:
    add_people("00012", "00345", "A7", "B00009", "C00009")

    batch_id = checked(f"{number};да", header="ID;Уволен")

    code = "number_invalid" if number == "А7" else "number_unknown"
    assert errors(batch_id) == ({number: {"number": refusal(code, meant=meant)}} if meant else {})
    if code == "number_unknown":
        assert of_rows(batch_id) == {number: {"unknown_ids": meant or ""}}


def test_same_name_leads_to_the_id_and_a_wholly_other_one_leads_away() -> None:
    add_people("00012", "700")  # “Иван Иванов” with the number behind it

    batch_id = checked("12;Олег Цой;да", "7;Иван Иванов 700;да", header="ID;ФИО;Уволен")

    assert errors(batch_id) == {"7": {"number": refusal("number_unknown", meant="700")}}
    assert of_rows(batch_id) == {"12": {"unknown_ids": ""}, "7": {"unknown_ids": "700"}}
    assert [row.verdict for row in rows(batch_id)] == ["unchanged", "wrong"]


@pytest.mark.both_databases
def test_row_without_a_name_and_photo_of_nobody_need_somebody_who_is_here() -> None:
    add_people("00012")

    nameless = checked("12;Склад", "7;Склад", header="ID;Отдел")
    photos = checked(pictures={"12.jpg": FACE, "7.jpg": FACE})

    unknown = refusal("number_unknown")
    assert errors(nameless) == {"12": {"number": refusal("number_unknown", meant="00012")}, "7": {"number": unknown}}
    assert errors(photos) == {
        "12": {"photo": refusal("photo_nobody", meant="00012")},
        "7": {"photo": refusal("photo_nobody")},
    }
    assert counted(nameless) == counted(photos) == {"unknown_ids": 2}


@pytest.mark.both_databases
def test_name_that_another_id_has_here_is_pointed_out() -> None:
    ivan, _ = add_people("1", "2")

    batch_id = checked("9;иван иванов 1;", "8;Иван Иванов;", "2;Иван Иванов 1;")

    assert of_rows(batch_id) == {"9": {"known_elsewhere": ivan}, "2": {"known_elsewhere": ivan}}
    assert queries.namesakes(rows(batch_id)) == {ivan: "1"}
    assert counted(batch_id) == {"known_elsewhere": 2}


def test_apostrophe_of_another_kind_changes_nothing_and_finds_the_namesake() -> None:
    save_employee(Draft("1", "Oʻktamov Gʻani", "Boʻlim"))

    batch_id = checked("1;O'ktamov G‘ani;Bo’lim", "2;O‘KTAMOV G'ANI;")

    assert [row.verdict for row in rows(batch_id)] == ["unchanged", "new"]
    assert list(of_rows(batch_id)) == ["2"]
    assert [*of_rows(batch_id)["2"]] == ["known_elsewhere"]


def test_new_ids_that_are_here_with_zeros_in_front_are_counted_once() -> None:
    people = add_people("00012", "00013", "T00014")

    batch_id = checked("12;Иван Иванов 00012;", "13;Ким Ольга;", "14;Иван Иванов T00014;", "15;Пётр Петров;")

    assert of_rows(batch_id) == {
        "12": {"unknown_ids": "00012", "known_elsewhere": people[0]}, "14": {"known_elsewhere": people[2]}
    }  # fmt: skip
    assert counted(batch_id) == {"unknown_ids": 1, "known_elsewhere": 2}


@pytest.mark.both_databases
def test_digits_that_ids_here_have_are_known_unless_that_would_change_others() -> None:
    add_people("00012", "00013", "0000014", "7", "T15")

    assert queries.lost_zeros(checked("12;Иван Иванов;", "13;Иван;", "14;Иван Иванов;", "T15;;Склад")) == 5
    assert queries.lost_zeros(checked("12;Иван Иванов;", "7;Иван Иванов 7;")) == 0
    assert queries.lost_zeros(checked("12;да", "15;да", header="ID;Уволен")) == 5
    assert queries.lost_zeros(checked("O12;да", "8;", pictures={"12.jpg": FACE}, header="ID;Уволен")) == 0
    assert queries.lost_zeros(checked("12;Иван Иванов;", options=Options(pad_to=5))) == 0


@pytest.mark.both_databases
def test_names_that_are_swapped_beside_faces_are_asked_about() -> None:
    brothers = ("Иванов Иван Петрович", "Иванов Сергей Петрович")
    namesakes = ("Сидоров Олег Юрьевич", "Цой Олег Юрьевич")
    enrolled(_1=brothers[0], _2=brothers[1], _3=namesakes[0], _4=namesakes[1], _5="Ким Анна Львовна")
    swapped = [*reversed(brothers), *reversed(namesakes)]

    sorted_apart = checked(*(f"{number};{name};" for number, name in enumerate(swapped, 1)), "5;Ким Ольга Львовна;")

    assert {number: effect["other_person"] for number, effect in of_rows(sorted_apart).items()} == dict(
        zip("12345", (*brothers, *namesakes, "Ким Анна Львовна"), strict=True)
    )
    assert counted(sorted_apart) == {"other_person": 5, "known_elsewhere": 4}
    assert effects.unconfirmed(sorted_apart) == 5


def test_names_of_relatives_that_are_sorted_apart_are_asked_about_and_slips_are_not() -> None:
    family = ("Иванова Анна", "Иванова Инна", "Цой Валерий", "Цой Валерия", "Ли Иван Львович", "Ли Иван Олегович")
    slips = ("Ким Наталья", "Пак Алексей", "Королёва Алёна")
    enrolled(**{f"_{number}": name for number, name in enumerate((*family, *slips), 1)})

    apart = checked("1;Иванова Жанна;", "2;Иванова Анна;", "3;Цой Валерия;", "4;Цой Валерьян;", "5;Ли Иван Олегович;",
                    "6;Ли Иван Ильич;", "7;Ким Наталия;", "8;Пак Алекcей;", "9;Королева Алена;")  # fmt: skip

    asked = {number: effect["other_person"] for number, effect in of_rows(apart).items() if "other_person" in effect}
    assert asked == dict(zip("123456", family, strict=True))
    assert [row.verdict for row in rows(apart)] == ["changed"] * 9


def test_name_that_loses_words_and_digits_that_come_into_one_are_told_with_a_count() -> None:
    here = ("Иванов Иван Иванович", "Петрова Анна Сергеевна", "Ким Юрий", "Вели Гасан оглы", "Ли Яна", "Цой Олег 1")
    enrolled(**{f"_{number}": name for number, name in enumerate(here, 1)})

    batch_id = checked("1;Иванов Иван;", "2;Petrova;", "3;Ким Юрий Ильич;", "4;Вели Гасаноглы;", "5;Ли Яна 2;",
                       "6;Цой Олег 2;", "7;Пак Олег;", "8;Гость 12;", "9;;")  # fmt: skip

    assert of_rows(batch_id) == {
        "1": {"names_shortened": here[0]}, "2": {"names_shortened": here[1]},
        "5": {"digits_in_names": True}, "8": {"digits_in_names": True},
    }  # fmt: skip
    assert counted(batch_id) == {"names_shortened": 2, "digits_in_names": 2}
    assert counts(batch_id) == (2, 6, 0, 1)
    again = checked("1;Иванов Иван Иванович;", "5;Сидоров;", "6;Цой Олег 1;")
    assert of_rows(again) == {"5": {"other_person": "Ли Яна"}}


@pytest.mark.both_databases
def test_who_left_and_is_in_a_list_without_a_status_stays_inactive_and_that_is_said() -> None:
    for employee_id in add_people("1", "2", "3", "4"):
        set_active(employee_id, active=False)
    db.session.commit()

    batch_id = checked("1;Иван Иванов 1;", "2;Ольга Цой;", "3;;да", "4;Иван Иванов 4;?", header="ID;ФИО;Уволен")

    assert of_rows(batch_id) == {
        "1": {"stays_inactive": "Иван Иванов 1"},
        "2": {"stays_inactive": "Иван Иванов 2"},
    }
    assert [row.verdict for row in rows(batch_id)] == ["unchanged", "changed", "unchanged", "wrong"]


def test_end_that_moves_away_and_photos_in_place_of_others_are_said() -> None:
    enrolled(_1="Иванов Иван", _2="Петров Пётр", _3="Ким Юрий")
    add_people("9")
    apply(checked("1;31.12.2030", "2;31.12.2036", header="ID;Действует до"))

    days = checked("1;31.12.2036", "2;31.12.2035", "3;31.12.2036", header="ID;Действует до")
    photos = checked(pictures={"1.jpg": OTHER_FACE, "2.jpg": FACE, "9.jpg": OTHER_FACE})

    assert of_rows(days) == {"1": {"validity_extended": "2030-12-31"}}
    assert of_rows(photos) == {"1": {"photo_replaced": True}}


@pytest.mark.both_databases
def test_photo_that_is_another_persons_here_is_said_to_be() -> None:
    enrolled(_1="Иванов Иван")
    apply(checked("2;Петров Пётр;", pictures={"2.jpg": OTHER_FACE}))
    first, second = db.session.scalars(db.select(Employee.id).order_by(Employee.number)).all()

    alone = checked(pictures={"1.jpg": OTHER_FACE, "2.jpg": FACE})
    beside = checked("1;Иванов Иван;", "2;Петров Пётр;", pictures={"1.jpg": OTHER_FACE, "2.jpg": FACE})

    assert of_rows(alone) == of_rows(beside) == {"1": {"photo_replaced": second}, "2": {"photo_replaced": first}}
    numbers = queries.namesakes(rows(alone))
    assert numbers == {first: "1", second: "2"}
    told = [row.effects for row in import_report.of_batch(batch(alone), 9).rows]
    assert told == [{"photo_replaced": "2"}, {"photo_replaced": "1"}]
    for language, text in (("ru", "фото 2"), ("en", "photo of 2")):
        with force_locale(language):
            assert effect_detail("photo_replaced", second, numbers) == text


@pytest.mark.both_databases
def test_look_alikes_are_mended_by_checking_again_and_the_department_is_the_one_here() -> None:
    save_employee(Draft("1", "Иван", "Отдел"))

    batch_id = checked("2;Пeтров Олег\u200b;Oтдел", "3;Юрий PRщик;Отдел")

    assert of_rows(batch_id) == {"2": {"look_alikes": {"name": "Петров Олег", "department": "Отдел"}}}
    run(import_jobs.start_fixing(batch_id))
    assert of_rows(batch_id) == {}
    assert rows(batch_id)[0].values == {"number": "2", "name": "Петров Олег", "department": "Отдел"}
    assert (batch(batch_id).options["mend_texts"], batch(batch_id).new) == (True, 2)


def test_department_here_with_odd_letters_is_that_of_a_mended_row() -> None:
    save_employee(Draft("1", "Иван", "Oтдел"))
    batch_id = checked("1;Иван;Отдел", "2;Пeтров;Отдел")

    run(import_jobs.start_fixing(batch_id))

    assert [row.verdict for row in rows(batch_id)] == ["unchanged", "new"]
    assert rows(batch_id)[1].values["department"] == "Oтдел"


def test_row_whose_id_is_there_twice_does_nothing() -> None:
    enrolled(_1="Иванов Иван")

    assert counted(checked("1;Сидоров Олег;", "1;Юрий Ким;")) == {}


def test_rows_are_listed_by_their_effect_and_the_first_by_kind() -> None:
    enrolled(**{f"_{number}": f"Иванов Иван {number}" for number in range(1, 8)})
    batch_id = checked(*(f"{number};Ким Юрий {number};" for number in range(1, 9)))

    listed, count = queries.rows_page(batch_id, effects.OTHER_PERSON, 3)

    assert ([row.number for row in listed.rows], count) == (["1", "2", "3"], 7)
    first = queries.first_with_effects(batch(batch_id))
    assert {kind: [row.number for row in rows] for kind, rows in first.items()} == {
        "other_person": list("12345"), "digits_in_names": ["8"],
    }  # fmt: skip
