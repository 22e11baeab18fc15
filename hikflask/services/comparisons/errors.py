"""Why a comparison failed."""

from hikflask.services.core.errors import ServiceError

# Of the list itself; any other comparison failed by what its terminal answered.
LIST_FAILURES = {"list_changing", "list_incomplete", "list_too_long", "another_device", "comparison_replaced"}


class ComparisonFailed(ServiceError):
    """The list of the terminal could not be read to its end for certain, so nothing is concluded from it."""

    code = "comparison_failed"
