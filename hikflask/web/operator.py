"""Who is at the page, as text for captures and leases."""

from flask import request


def present_operator() -> str:
    """Return the operator's name: the client's address, until people sign in."""
    return request.remote_addr or "?"
