"""What pages and API do with a body that is over the limit."""

from flask import request

MOST_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024


def take_rest() -> None:
    """Read the rest of a body that is too large: a client that is cut off while it sends reads no answer."""
    left = min(request.content_length or 0, MOST_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(CHUNK, left))):
        left -= len(chunk)
