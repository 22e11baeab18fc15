"""Answers to htmx: fragments, and the headers that say where they go."""

from flask import Response, make_response, render_template, request

from hikflask.labels.enrolments import EnrolmentStatus

# After how many seconds a page polls again.
FAST_SECONDS, SLOW_SECONDS = 1, 5
# The search field of a list, as htmx names the element that sends the request.
SEARCH = "input#q"


def wants_fragment() -> bool:
    """Return whether htmx requests a part of a page; to restore one from the history it requests the whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def replaced_address(body: str, address: str, status: int = 200) -> Response:
    """Answer a fragment, and let the browser show this address, so that a reload shows the same."""
    response = make_response(body, status)
    response.headers["HX-Replace-Url"] = address
    return response


def narrowed(rows: str, address: str, status: int) -> Response:
    """Answer the rows of a list under the address of its filters, from which Back returns to the ones before."""
    # What is typed letter by letter does not fill the history.
    if request.headers.get("HX-Source") == SEARCH:
        return replaced_address(rows, address, status)
    response = make_response(rows, status)
    response.headers["HX-Push-Url"] = address
    return response


def retargeted(body: str, target: str, status: int = 200, swap: str = "outerHTML") -> Response:
    """Answer a fragment for another element than the one that asked."""
    response = make_response(body, status)
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = swap
    return response


def with_bar(fragment: str) -> str:
    """Return a fragment with the bar's number and alarm, which htmx swaps out of band, so that all of them agree."""
    return (
        fragment
        + render_template("attention/_bar.html", elsewhere=True)
        + render_template("employees/_removals_alarm.html", elsewhere=True)
    )


def poll_seconds(statuses: list[EnrolmentStatus]) -> int:
    """Return the interval at which a page polls: short while work goes on, longer before a retry, 0 for no polling."""
    if any(status.working for status in statuses):
        return FAST_SECONDS
    return SLOW_SECONDS if any(status.enrolment.next_attempt_at for status in statuses) else 0
