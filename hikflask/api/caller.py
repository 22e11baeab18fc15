"""Who calls the API, as text for captures, leases and messages."""

from flask import request


def present_caller() -> str:
    """Return the caller's name: its address, until calls carry tokens."""
    return f"API {request.remote_addr}"
