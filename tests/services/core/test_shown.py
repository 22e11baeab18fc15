"""The digest of what was shown: the same for the same facts alone."""

import pytest

from hikflask.services.core import shown
from hikflask.services.core.errors import PlanChanged


def test_digest_differs_with_each_fact_and_with_their_order() -> None:
    digests = [shown.digest(*facts) for facts in ((1, "а"), (1, "б"), ("а", 1), (1,), ([1, "а"],))]

    assert len(set(digests)) == 5
    assert shown.digest(1, "а") == digests[0]


def test_nothing_but_the_same_is_accepted() -> None:
    shown.require_same(shown.digest(1), shown.digest(1))

    for other in (shown.digest(2), "", None):
        with pytest.raises(PlanChanged):
            shown.require_same(other, shown.digest(1))
