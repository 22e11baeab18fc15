"""How long a body may be, and what pages and API do with one that is over the limit."""

from flask import request

FORM = "application/x-www-form-urlencoded"
# What a page carries along of a form (64 KB) is three times as long on its way.
LONGEST_FORM = 256 * 1024
MOST_BYTES = 64 * 1024 * 1024
CHUNK = 64 * 1024


def limit() -> None:
    """Let a form without a file be no longer than one of ours: Flask's own limit of fields is for forms with files."""
    if request.mimetype == FORM:
        request.max_content_length = LONGEST_FORM


def take_rest() -> None:
    """Read the rest of a body that is too large: a client that is cut off while it sends reads no answer."""
    left = min(request.content_length or 0, MOST_BYTES)
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(CHUNK, left))):
        left -= len(chunk)
