"""Departments that are paths lose their top, and names with a slash stay names."""

import pytest

from hikflask.services.imports.table.department_paths import last_part, top_of


@pytest.mark.parametrize(
    ("departments", "top"),
    [
        (["All Departments/Цех/Смена", ""], "All Departments"),
        (["", "все отделы / Цех", "Склад"], "все отделы"),
        (["All Users"], "All Users"),
        (["Завод/Цех 1/Смена", "Завод/Цех 2"], "Завод"),
        (["Цех №1/2", "Цех №1/3"], ""),
        (["Склад", "Завод\\Цех 1"], "Завод"),
        (["Завод/Цех 1/Смена", "Склад/Приёмка/Утро"], ""),
        (["Цех", "Склад"], ""),
        (["", " / "], ""),
        ([], ""),
    ],
)
def test_top_is_one_that_programs_write_or_shared_by_a_tree(departments: list[str], top: str) -> None:
    assert top_of(departments) == top


@pytest.mark.parametrize(
    ("department", "top", "part"),
    [
        ("All Departments/Цех/Смена", "", "Смена"),
        ("All Departments / Цех / ", "All Departments", "Цех"),
        ("All Departments", "", ""),
        ("Завод/Цех 1", "Завод", "Цех 1"),
        ("Завод", "Завод", "Завод"),
        ("Склад/Приёмка", "Завод", "Склад/Приёмка"),
        ("Цех №1/2", "", "Цех №1/2"),
        ("", "All Departments", ""),
        ("Завод\\Цех 1/2", "Завод", "Цех 1/2"),
        ("Завод / Цех 1/2", "Завод", "Цех 1/2"),
        ("Завод / Корпус 3 / Цех 1/2", "Завод", "Цех 1/2"),
        (r"\N", "Завод", r"\N"),
        ("Завод\\Архив", "Завод", "Архив"),
        ("Завод\\Архив\\Цех 2", "Завод", "Завод\\Архив\\Цех 2"),
        ("Завод\\Уволенные\\Цех 2", "Завод", "Завод\\Уволенные\\Цех 2"),
    ],
)
def test_path_ends_as_its_last_part(department: str, top: str, part: str) -> None:
    assert last_part(department, top) == part


def test_department_that_is_here_under_its_whole_name_is_no_path() -> None:
    here = {"завод/цех 1/смена б", "завод\\цех 2", "все отделы"}

    assert last_part("Завод/Цех 1/Смена  Б", "Завод", here) == "Завод/Цех 1/Смена  Б"
    assert last_part("Завод\\Цех 2", "Завод", here) == "Завод\\Цех 2"
    assert last_part("Все отделы", "Все отделы", here) == "Все отделы"
    assert last_part("Завод/Цех 1", "Завод", here) == "Цех 1"
