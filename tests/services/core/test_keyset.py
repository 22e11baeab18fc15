"""Pages of a list by cursors: each row once, in both directions, whatever is deleted meanwhile."""

import pytest
from sqlalchemy import delete, select

from hikflask.extensions import db, vault
from hikflask.models import Department
from hikflask.services.core.errors import CursorUnknown
from hikflask.services.core.keyset import FIRST, Keyset, PagePosition, first_of_rows, read

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

UP = Keyset((Department.folded.asc(), Department.id.asc()), "up")
DOWN = Keyset((Department.folded.desc(), Department.id.desc()), "down")


@pytest.fixture(autouse=True)
def departments(context: None) -> None:  # noqa: ARG001
    db.session.add_all([Department(id=number, name=f"{'абв'[number % 3]}{number}") for number in range(1, 11)])
    db.session.commit()


def page(order: Keyset, place: PagePosition, limit: int = 3) -> tuple[list[int], PagePosition, PagePosition]:
    found = first_of_rows(read(select(Department.id), order, limit, place))
    return found.rows, PagePosition(after=found.after), PagePosition(before=found.before)


@pytest.mark.parametrize("order", [UP, DOWN])
def test_pages_are_the_whole_list_in_both_directions(order: Keyset) -> None:
    everybody = list(db.session.execute(order.sorted(select(Department.id), FIRST)).scalars())
    pages: list[list[int]] = []
    following = previous = FIRST
    while following.cursor or not pages:
        rows, following, previous = page(order, following)
        pages.append(rows)
    back = [pages[-1]]
    while previous.cursor:
        rows, _, previous = page(order, previous)
        back.insert(0, rows)

    assert [one for rows in pages for one in rows] == everybody
    assert back == pages


def test_cursor_leads_on_when_its_row_is_deleted() -> None:
    rows, following, _ = page(UP, FIRST)
    db.session.execute(delete(Department).where(Department.id == rows[-1]))

    assert page(UP, following)[0] == page(UP, FIRST, 5)[0][2:]


def test_what_is_no_cursor_is_refused() -> None:
    for cursor in ["x", "gAAAAA", "", "ё"]:
        if cursor:
            with pytest.raises(CursorUnknown):
                page(UP, PagePosition(after=cursor))
        with pytest.raises(CursorUnknown):
            page(UP, PagePosition(after=vault.encrypt(cursor)))


def test_cursor_of_another_order_is_refused() -> None:
    _, following, _ = page(UP, FIRST)

    with pytest.raises(CursorUnknown):
        page(DOWN, following)


def test_cursor_does_not_show_what_it_is_made_of() -> None:
    db.session.add(Department(id=99, name="Секретный цех", folded="секретный цех"))
    _, following, _ = page(DOWN, FIRST, 1)

    assert following.after.isascii()
    assert "сек" not in following.after
