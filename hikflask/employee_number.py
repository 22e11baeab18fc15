"""What an employee number may be: as it is typed, as the API takes it, and as it begins the name of a photo's file."""

import re

PATTERN = "[A-Za-z0-9]{1,32}"
_NUMBER = re.compile(rf"{PATTERN}\Z")


def is_valid(text: object) -> bool:
    """Return True for a text that can be a number on a terminal."""
    return isinstance(text, str) and _NUMBER.match(text) is not None
