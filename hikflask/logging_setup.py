"""The log: one record, one line, whatever a path, a name or a terminal's answer holds.

A record of several lines could be taken for several records, and what somebody else wrote into it for ours.
"""

import logging

from flask import Flask
from flask.logging import default_handler

from hikflask import invisible_characters

# gunicorn gives this one a handler of its own.
SERVER = "gunicorn.error"


class OneLine(logging.Formatter):
    """Writes a record as another formatter does, with its traceback, and with line ends as the two letters \\n."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the record on one line."""
        return visible(self._inner.format(record))


def register(app: Flask) -> None:
    """Keep what this process logs on its lines: what is ours, the server's, and the libraries' that have no handler."""
    app.logger.addFilter(one_line)
    for handler in (default_handler, logging.lastResort, *logging.getLogger(SERVER).handlers):
        if handler and not isinstance(handler.formatter, OneLine):
            handler.setFormatter(OneLine(handler.formatter))


def one_line(record: logging.LogRecord) -> bool:
    """Keep a message of the app's own on its line for handlers of somebody else, too."""
    record.msg, record.args = visible(record.getMessage()), ()
    return True


def visible(text: str) -> str:
    """Return the text with what ends a line, or is not seen, written as its escape."""
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if invisible_characters.is_invisible(letter) else letter
