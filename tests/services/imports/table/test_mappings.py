"""Columns that are kept under a name apply to the next table with the same heads."""

import pytest

from hikflask.extensions import db
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.errors import ServiceError
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import DEFAULT, Options
from tests.support.between import Between
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")

HEADS = ["Таб. №", "Кто", "Где", "Дата", "Дата"]
FIELDS = {"number": 0, "name": 1, "valid_to": 4}
OPTIONS = Options("new", pad_to=5, unused_days=(3,))


@pytest.mark.both_databases
def test_mapping_applies_to_a_table_with_the_same_heads_in_another_order() -> None:
    mappings.save("Кадры", HEADS, FIELDS, OPTIONS)

    (fitted,) = mappings.fitting(["дата", "КТО ", "ДАТА", "Таб.  №", "Где"])

    assert (fitted.name, fitted.is_same) == ("Кадры", True)
    assert fitted.fields == {"number": 3, "name": 1, "valid_to": 2}
    assert fitted.options == Options("new", pad_to=5, unused_days=(0,))


def test_mappings_that_lack_a_column_do_not_fit_and_the_same_heads_come_first() -> None:
    mappings.save("А другие", ["Таб. №", "Кто"], {"number": 0, "name": 1}, DEFAULT)
    mappings.save("Б кадры", HEADS, FIELDS, OPTIONS)
    mappings.save("В чужие", ["ID", "Кто"], {"number": 0}, DEFAULT)

    assert [(one.name, one.is_same) for one in mappings.fitting(HEADS)] == [("Б кадры", True), ("А другие", False)]
    assert mappings.fit("А другие", HEADS).fields == {"number": 0, "name": 1}
    with pytest.raises(ServiceError, match=r"^mapping_unfit$") as refused:
        mappings.fit("В чужие", HEADS)
    assert refused.value.params == {"columns": "“ID”"}
    with pytest.raises(ServiceError, match=r"^mapping_unknown$"):
        mappings.fit("Г", HEADS)


def test_mapping_of_the_same_name_is_replaced_and_each_change_is_in_the_trail() -> None:
    with audit.acting(Actor("Анна", "10.0.0.7")):
        mappings.save("Кадры", HEADS, FIELDS, OPTIONS)
        mappings.save("Кадры", ["ID"], {"number": 0}, DEFAULT)
    mappings.save("Цех", ["ID"], {"number": 0}, DEFAULT)
    first, second = mappings.list_all()
    assert (first.columns, first.fields, first.saved_by) == (["ID"], {"number": 0}, "Анна")

    with pytest.raises(ServiceError, match=r"^mapping_known$"):
        mappings.rename(second.id, "Кадры")
    mappings.rename(second.id, "Склад")
    mappings.delete(first.id)

    assert [mapping.name for mapping in mappings.list_all()] == ["Склад"]
    assert [entry.subject for entry in entries("import_mapping.saved")] == ["Кадры", "Кадры", "Цех"]
    (renamed,), (deleted,) = entries("import_mapping.renamed"), entries("import_mapping.deleted")
    assert (renamed.before, renamed.after, deleted.subject) == ({"name": "Цех"}, {"name": "Склад"}, "Кадры")
    with pytest.raises(ServiceError, match=r"^mapping_unknown$"):
        mappings.delete(first.id)


@pytest.mark.both_databases
def test_of_two_who_keep_a_name_at_once_one_is_told(between: Between) -> None:
    other = between(audit, "current_actor", lambda: mappings.save("Кадры", HEADS, FIELDS, OPTIONS))

    with pytest.raises(ServiceError, match=r"^mapping_known$") as caught:
        mappings.save("Кадры", HEADS, {"number": 0}, OPTIONS)

    other.finish()
    assert (caught.value.fields, other.error) == (("mapping_name",), None)
    assert [mapping.fields for mapping in mappings.list_all()] == [FIELDS]


@pytest.mark.both_databases
@pytest.mark.parametrize("deed", ["save", "rename", "delete"])
def test_who_changes_a_mapping_that_is_deleted_at_this_moment_is_told_or_keeps_a_new_one(
    between: Between, deed: str
) -> None:
    mappings.save("Кадры", HEADS, FIELDS, OPTIONS)
    (mapping_id,) = (mapping.id for mapping in mappings.list_all())
    db.session.commit()
    moment = (audit, "current_actor") if deed == "save" else (mappings, "_row")
    other = between(*moment, lambda: mappings.delete(mapping_id))

    if deed == "save":
        mappings.save("Кадры", ["ID"], {"number": 0}, DEFAULT)
    else:
        with pytest.raises(ServiceError, match=r"^mapping_unknown$"):
            mappings.rename(mapping_id, "Цех") if deed == "rename" else mappings.delete(mapping_id)

    other.finish()
    assert other.error is None
    assert [mapping.columns for mapping in mappings.list_all()] == ([["ID"]] if deed == "save" else [])
