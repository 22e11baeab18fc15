"""What imports hold of one person goes with the person, and what they hold of others stays."""

from zipfile import ZipFile

import pytest

from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches
from hikflask.services.imports.batches import Upload
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import DEFAULT
from hikflask.services.privacy import certificates, import_traces
from hikflask.services.privacy.import_traces import ErasedPerson
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.erasures import enrol, every_text, fresh, settle_all
from tests.support.imports import apply, batch, check, checked, errors, made, photos, rows, table
from tests.support.jobs import add_people, items
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.both_databases
def test_rows_and_photos_of_the_person_are_erased_and_those_of_others_stay() -> None:
    (ivan,) = add_people("1")
    found = checked(
        "1;Пётр Петров;", "2;Ольга Ёлкина;", "№1;Иван  ИВАНОВ 1;".replace("  ", " "), "№3;Анна;",
        pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE},
    )  # fmt: skip

    erase_employee(ivan)

    assert [row.number for row in rows(found)] == ["2", "№3"]
    for file in (batch(found).photos_file, stored_files.beside(batch(found).photos_file)):
        with ZipFile(stored_files.path_of(file)) as archive:
            assert archive.namelist() == ["2.jpg"]
    assert items(apply(found).id) == [("2", "done", "")]
    assert "Пётр" not in every_text()
    assert "Иван" not in every_text()


@pytest.mark.both_databases
def test_wrong_rows_and_file_names_with_the_id_or_the_whole_name_are_erased() -> None:
    anna = save_employee(Draft("QZ7731XK", "Ксенофонтова Анна")).row.id
    apply(checked("QZ7731XK;Петрова Анна;"))
    upload = table("№QZ7731XK;Петрова А.;", "N 1;петрова  АННА;", "N 2;Кто-то;см. qz7731xk", "N 3;QZ7731XK2;")
    with_table = made_of(Upload("Ксенофонтова Анна, 5.csv", upload.stream))
    names = ("QZ7731XK Петрова.jpg", "отдел/Ксенофонтова_Анна.jpg", "отдел/Анна.jpg")
    with_photos = made_of(archive=Upload("qz7731xk.zip", photos(dict.fromkeys(names, FACE)).stream))
    others = checked("N 4;Анна;")

    erase_employee(anna)

    assert [row.number for row in rows(with_table)] == ["N 3"]
    assert [row.photo for row in rows(with_photos)] == ["отдел/Анна.jpg"]
    with ZipFile(stored_files.path_of(batch(with_photos).photos_file)) as archive:
        assert archive.namelist() == ["отдел/Анна.jpg"]
    assert (batch(with_table).table_name, batch(with_photos).photos_name) == ("…", "…")
    assert (batch(others).table_name, len(rows(others))) == ("люди.csv", 1)


def test_wrong_row_that_may_mean_the_person_is_erased() -> None:
    ivan, _ = add_people("00012", "00013")
    found = checked("12;да", "13;да", header="ID;Уволен")

    erase_employee(ivan)

    assert [row.number for row in rows(found)] == ["13"]
    assert "00012" not in every_text()


def test_earlier_name_of_somebody_who_was_deleted_is_known_by_the_audit_trail() -> None:
    ivan = save_employee(Draft("100222", "Иван Иванов")).row.id
    apply(checked("100222;Иван Петров;"))
    found = checked("N 1;Иван Иванов;", "N 2;Иван Петров;", "N 3;Иван Ивановский;")
    delete_employee(ivan)

    erase_by_number("100222")

    assert [row.number for row in rows(found)] == ["N 3"]


def test_wrong_row_that_comes_before_the_terminal_confirms_is_erased(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    later = checked("№100222;Иван;", "№100223;Иван Иванов;", "№100224;Иван;")

    settle_all()
    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert [row.number for row in rows(later)] == ["№100224"]


@pytest.mark.both_databases
def test_wrong_row_of_whoever_has_the_number_by_now_stays(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol(simulator, terminal)
    erasure = erase_employee(ivan.id).row
    settle_all()
    save_employee(Draft("100222", "Иван Иванов"))
    later = checked("№100222;Иван Иванов;")

    certificates.complete(erasure.id)

    assert fresh(erasure).completed_at is not None
    assert [row.number for row in rows(later)] == ["№100222"]


def made_of(upload: Upload | None = None, archive: Upload | None = None) -> int:
    """Make and check an import of files with these names."""
    return check(batches.make(upload, archive).id)


def test_row_that_is_erased_before_its_turn_is_said() -> None:
    pictures = {"1.jpg": FACE, "2.jpg": OTHER_FACE}
    found = checked("1;Пётр Петров;", "2;Ольга Ёлкина;", pictures=pictures)
    erase_by_number("1")

    with ZipFile(stored_files.path_of(batch(found).photos_file)) as archive:
        assert archive.namelist() == ["2.jpg"]
    assert import_traces.of_number("1") == []
    assert apply(found).failed == 0
    assert [row.number for row in rows(found)] == ["2"]


@pytest.mark.both_databases
def test_table_that_was_not_read_yet_is_removed() -> None:
    (ivan,) = add_people("1")
    found = made("1;Пётр Петров;")

    erase_employee(ivan)

    assert list(stored_files.folder().iterdir()) == []
    assert errors(found) == {}
    assert batch(found).table_file == ""


def test_rows_of_one_employee_are_found_with_their_imports() -> None:
    (ivan,) = add_people("1")
    found = checked("1;Пётр Петров;", "2;Ольга Ёлкина;")

    assert [(one.id, row.number) for one, row in import_traces.of_employee(ivan)] == [(found, "1")]


@pytest.mark.both_databases
def test_sheet_with_the_name_of_the_person_is_not_named_any_more() -> None:
    found = checked("1;Ольга Ёлкина;", "2;Анна Юрьева;")
    theirs, other = rows(found)
    with transaction():
        theirs.sheet, other.sheet = "Пётр Петров", "Охрана"

    with transaction():
        import_traces.forget_rows(import_traces.ErasedPerson(["77"], ["Петров Пётр", "Пётр Петров"]), None, [])

    assert [row.sheet for row in rows(found)] == ["", "Охрана"]


def test_column_that_is_not_read_is_not_told_any_more_where_it_names_the_person() -> None:
    head = "ID;ФИО;Мастер;Смена"
    found = checked(*(f"{at};Ольга Ёлкина {at};мастер Пётр Петров;ночь" for at in range(2)), header=head)

    with transaction():
        import_traces.forget_rows(import_traces.ErasedPerson(["77"], ["Петров Пётр", "Пётр Петров"]), None, [])

    assert batch(found).layout["unused"] == {"Смена": ["ночь"]}


def test_kept_columns_that_name_the_person_are_deleted() -> None:
    for name, heads in (("Отдел кадров", ["ID", "ФИО"]), ("Цех", ["100222", "Иванов  Иван"]), ("Иванов Иван", ["ID"])):
        mappings.save(name, heads, {"number": 0}, DEFAULT)
    found = batch(checked("1;Ольга Ёлкина;"))
    with transaction():
        found.layout = {**found.layout, "columns": ["100222", "Иванов  Иван", "Цех"]}

    with transaction():
        import_traces.forget_rows(ErasedPerson(["77"], ["Иванов Иван"]), None, [])

    assert batch(found.id).layout["columns"] == ["", "", ""]
    assert [mapping.name for mapping in mappings.list_all()] == ["Отдел кадров"]


@pytest.mark.both_databases
def test_sheet_with_the_name_of_the_person_is_not_named_in_other_rows() -> None:
    found = checked("1;Ольга Ёлкина;", "1;Анна Юрьева;")
    theirs, other = rows(found)
    with transaction():
        theirs.sheet, other.sheet = "Пётр Петров", "Охрана"
        other.errors = {"number": refusal("number_twice", lines="Пётр Петров 2, 7")}

    with transaction():
        import_traces.forget_rows(ErasedPerson(["77"], ["Петров Пётр", "Пётр Петров"]), None, [])

    assert rows(found)[1].errors == {"number": refusal("number_twice", lines="2, 7")}
