"""Lists of imports, and the names of the people in their rows."""

import pytest
from sqlalchemy import inspect

from hikflask.extensions import db
from hikflask.models import ImportRow
from hikflask.services.imports import listing
from tests.support.import_batches import add_import
from tests.support.jobs import add_people

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]


def test_newest_import_comes_first_in_pages() -> None:
    made = [add_import() for _ in range(3)]

    first, total = listing.list_page(2)
    second, _ = listing.list_page(2, 2)

    assert [batch.id for batch in [*first, *second]] == made[::-1]
    assert total == 3
    assert inspect(first[0]).unloaded == {"layout"}


def test_people_are_named_as_they_are_called_now() -> None:
    (ivan,) = add_people("1")
    add_import(ImportRow(number="1", verdict="unchanged", employee_id=ivan), ImportRow(number="2", verdict="new"))
    rows = db.session.execute(db.select(ImportRow)).scalars().all()

    assert listing.names(rows) == {ivan: "Иван Иванов 1"}
    assert listing.names([]) == {}
