"""What a request by htmx is, and how it is answered."""

from flask import Response, make_response, render_template, request


def wants_fragment() -> bool:
    """True when htmx asks for a part of a page; going back in the history asks for the whole one."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def replaced_address(body: str, address: str, status: int = 200) -> Response:
    """Answer a fragment and make the browser show this address, which then survives a reload."""
    response = make_response(body, status)
    response.headers["HX-Replace-Url"] = address
    return response


def retargeted(body: str, target: str, status: int = 200, swap: str = "outerHTML") -> Response:
    """Answer a fragment that goes elsewhere than to the element that asked."""
    response = make_response(body, status)
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = swap
    return response


def with_removals_alarm(fragment: str) -> str:
    """Return a fragment together with the alarm of open removals, which htmx swaps into the bar (out of band)."""
    return fragment + render_template("employees/_removals_alarm.html", elsewhere=True)
