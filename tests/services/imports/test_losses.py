"""Who loses access by an import, or by undoing one, is counted at each terminal before anything is done."""

from datetime import timedelta

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import today
from hikflask.services.core.errors import AdministratorNeeded, UnsafePlan
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import losses
from hikflask.services.imports import report as import_report
from tests.support.groups import ENTRANCE, STORE, add_terminals, make_group, wishes
from tests.support.imports import apply, batch, checked
from tests.support.removals import BY_OPERATOR

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture(autouse=True)
def ids(context: None) -> dict[str, int]:  # noqa: ARG001
    """Three guards at the entrance by their group; the first of them by hand at the store, too."""
    ids = add_terminals(ENTRANCE, STORE)
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    people = [save_employee(Draft(number, "Иван", "Охрана")).row.id for number in ("1", "2", "3")]
    send_to_terminal(people[0], ids[STORE])
    return ids


def told(found: Losses) -> tuple[int, list[tuple[str, int, int]]]:
    return found.people, [(loss.terminal, loss.loses, loss.people) for loss in found.terminals]


def test_leavers_lose_all_terminals_and_moved_people_those_of_their_groups() -> None:
    assert told(losses.of_import(checked("1;да", "2;нет", header="ID;Уволен"))) == (
        1,
        [(ENTRANCE, 1, 3), (STORE, 1, 1)],
    )
    assert told(losses.of_import(checked("1;Склад", "2;Новый", "3;Охрана", header="ID;Отдел"))) == (
        2,
        [(ENTRANCE, 2, 3)],
    )
    assert not losses.of_import(checked("1;Пётр", "4;Новый", header="ID;ФИО"))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("first", "last", "people"),
    [(1, 60, 1), (-1, 0, 1), (-1, 31, 1), (-1, 3650, 1), (0, None, 0)],
    ids=["not yet", "until today", "a month", "ten years", "from today"],
)
def test_whose_access_begins_later_or_ends_sooner_loses_all_terminals(
    first: int, last: int | None, people: int
) -> None:
    days = ["" if day is None else f"{today() + timedelta(days=day)}" for day in (first, last)]

    found = losses.of_import(checked(f"1;{';'.join(days)}", header="ID;Действует с;Действует до"))

    assert told(found) == (people, [(ENTRANCE, 1, 3), (STORE, 1, 1)] if people else [])


@pytest.mark.usefixtures("one_is_many")
def test_undo_takes_what_the_import_gave(ids: dict[str, int]) -> None:
    batch_id = checked("1;Иван;Охрана", "4;Олег;", header="ID;ФИО;Отдел", terminal_id=ids[STORE])
    apply(batch_id)
    assert wishes("4") == {STORE: False}

    assert told(losses.of_undo(batch_id)) == (1, [(STORE, 1, 2)])
    assert not losses.of_import(batch_id)
    for agreed, refusal in ((BY_OPERATOR, AdministratorNeeded), (Confirmation(2, by_admin=True), UnsafePlan)):
        with pytest.raises(refusal):
            import_jobs.start_undo(batch_id, agreed)
    import_jobs.start_undo(batch_id, Confirmation(1, by_admin=True))


@pytest.mark.both_databases
def test_report_keeps_who_lost_access() -> None:
    batch_id = checked("1;да", "2;да", header="ID;Уволен")
    before = import_report.of_batch(batch(batch_id), 10)
    apply(batch_id)
    after = import_report.of_batch(batch(batch_id), 10)

    assert (before.leavers, told(before.losses)) == (2, (2, [(ENTRANCE, 2, 3), (STORE, 1, 1)]))
    assert (after.leavers, after.losses) == (before.leavers, before.losses)
    assert wishes("1") == {}
