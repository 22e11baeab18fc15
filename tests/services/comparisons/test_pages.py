"""A page follows the one before, or the list is not taken for the same."""

import pytest

from hikflask.isapi.errors import Nonsense
from hikflask.isapi.paging import Page
from hikflask.services.comparisons.pages import MAX_ROWS, ComparisonFailed, ListChanged, ListProgress, follow

BEGUN = ListProgress(read=2, first="1", last="2", total=4)


def page(*numbers: str, total: int | None = 4, word: str = "MORE") -> Page:
    return Page([(number, {}) for number in numbers], total, word, "/Search")


def test_first_page_begins_the_list_and_the_next_one_overlaps_it() -> None:
    first = follow(ListProgress(0, "", "", None), page("1", "2"))
    assert (first.numbers, first.read, first.last, first.total, first.is_last) == (("1", "2"), 2, "2", 4, False)
    assert (BEGUN.position, BEGUN.overlap) == (1, 1)
    last = follow(BEGUN, page("2", "3", "4"))
    assert (last.numbers, last.read, last.is_last) == (("3", "4"), 4, True)


def test_list_without_a_total_ends_with_its_word() -> None:
    begun = ListProgress(2, "1", "2", None)
    assert not follow(begun, page("2", "3", total=None)).is_last
    assert follow(begun, page("2", "3", total=None, word="OK")).is_last


def test_length_of_a_page_is_not_the_length_of_the_list() -> None:
    begun = follow(ListProgress(0, "", "", None), page("1", "2", total=2, word="OK"))
    assert (begun.total, begun.is_last) == (None, True)
    assert follow(begun, page("2", "3", "4", total=3, word="OK")).read == 4


@pytest.mark.parametrize(
    ("found", "failure"),
    [
        (page("3", "4"), "list_changing"),  # The last person of the page before is not there.
        (page("2", "3", "4", total=5), "list_changing"),
        (page("1", "2"), "list_incomplete"),  # The first page again.
        (page("2", "3", "3"), "list_incomplete"),
        (page("2", "3", "4", "5"), "list_incomplete"),  # More than there are.
    ],
)
def test_page_that_does_not_follow_means_that_the_list_changed(found: Page, failure: str) -> None:
    with pytest.raises(ListChanged) as changed:
        follow(BEGUN, found)
    assert changed.value.failure == failure


def test_list_that_stops_early_or_says_nothing_is_not_whole() -> None:
    with pytest.raises(ComparisonFailed, match=r"^list_incomplete$"):
        follow(BEGUN, page("2"))
    with pytest.raises(ComparisonFailed, match=r"^list_incomplete$"):
        follow(BEGUN, page("2", "3" * 33))
    with pytest.raises(Nonsense):
        follow(BEGUN, page("2", "3", word=""))


def test_list_longer_than_the_terminal_can_hold_is_refused_at_its_first_page() -> None:
    for total, capacity in ((2_000_000_000, None), (MAX_ROWS + 1, 200_000), (1501, 1500), (3, 2)):
        with pytest.raises(ComparisonFailed, match=r"^list_too_long$"):
            follow(ListProgress(0, "", "", None, capacity), page("1", "2", total=total))
    assert follow(ListProgress(0, "", "", None, 1500), page("1", "2", total=1500)).total == 1500


def test_list_without_a_total_ends_where_the_terminal_is_full() -> None:
    with pytest.raises(ComparisonFailed, match=r"^list_too_long$"):
        follow(ListProgress(2, "1", "2", None, 3), page("2", "3", "4", total=None))
    assert follow(ListProgress(2, "1", "2", None, 3), page("2", "3", total=None)).read == 3


def test_page_that_was_cut_is_never_the_last_one() -> None:
    cut = Page([("1", {}), ("2", {})], 2, "OK", "/Search", is_cut=True)
    assert not follow(ListProgress(0, "", "", None), cut).is_last
