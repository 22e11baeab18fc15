"""The log: each record is one line, whatever there is in a path, a name or the answer of a terminal.

Otherwise somebody could send a text with line ends and forge records of the log.
"""

import logging

from flask import Flask
from flask.logging import default_handler

from hikflask import invisible_characters

# gunicorn gives this logger a handler of its own.
SERVER = "gunicorn.error"


class OneLine(logging.Formatter):
    """Formats a record like another formatter, traceback included, and writes line ends as the two characters \\n."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the record on one line."""
        return visible(self._inner.format(record))


def register(app: Flask) -> None:
    """Write the records of the app, of gunicorn, and of libraries without a handler on one line each."""
    app.logger.addFilter(one_line)
    for handler in (default_handler, logging.lastResort, *logging.getLogger(SERVER).handlers):
        if handler and not isinstance(handler.formatter, OneLine):
            handler.setFormatter(OneLine(handler.formatter))


def one_line(record: logging.LogRecord) -> bool:
    """Write a message of the app on one line. As a filter this works for handlers that others add, too."""
    record.msg, record.args = visible(record.getMessage()), ()
    return True


def visible(text: str) -> str:
    """Return the text with line ends and invisible characters written as escapes."""
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if invisible_characters.is_invisible(letter) else letter
