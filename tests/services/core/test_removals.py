"""More than twenty, or a tenth of a terminal's people, are not removed without their number typed."""

import pytest

from hikflask.services.core import removals
from hikflask.services.core.errors import UnsafePlan


@pytest.mark.parametrize(
    ("count", "people", "many"), [(0, 0, False), (20, 200, False), (21, 1000, True), (10, 100, False), (11, 100, True)]
)
def test_what_is_many(count: int, people: int, many: bool) -> None:
    assert removals.are_many(count, people) is many


def test_one_terminal_that_loses_many_is_enough() -> None:
    terminals = [(1, 100), (30, 400)]

    removals.require_confirmed([(1, 100)], 1, None)
    removals.require_confirmed(terminals, 31, 31)
    for typed in (None, 30):
        with pytest.raises(UnsafePlan) as refused:
            removals.require_confirmed(terminals, 31, typed)
        assert (refused.value.count, refused.value.fields) == (31, ("confirm",))
