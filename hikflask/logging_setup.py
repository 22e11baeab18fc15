"""The log: each record is one line, as text or as JSON, with the id of the request that it belongs to.

Whatever there is in a path, a name or the answer of a terminal stays on its line. Otherwise somebody could send a text
with line ends and forge records of the log. That a disk is full is one sentence, since there is no fault to be found.
"""

import copy
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask.logging import default_handler

from hikflask import disk_space, request_id, text_rules

# gunicorn gives this logger a handler of its own.
SERVER = "gunicorn.error"
LINES, JSON = "lines", "json"
# The level of a logger that has none of its own.
USUAL_LEVEL = "warning"


class OneLine(logging.Formatter):
    """Formats a record like another formatter, traceback included, and writes line ends as the two characters \\n.

    :param folder: on the disk that errors without space are about.
    """

    def __init__(self, inner: logging.Formatter | None, folder: Path | None = None) -> None:
        super().__init__()
        self.inner = inner or logging.Formatter()
        self.folder = folder

    def format(self, record: logging.LogRecord) -> str:
        """Return the record on one line."""
        request = request_id.current()
        return visible(self.inner.format(self.explained(record))) + (f" [request {request}]" if request else "")

    def explained(self, record: logging.LogRecord) -> logging.LogRecord:
        """Return the record with a sentence in place of the traceback, where that says that no space is left."""
        error = record.exc_info and record.exc_info[1]
        why = disk_space.explain(error, self.folder) if error and self.folder else ""
        if not why:
            return record
        short = copy.copy(record)
        short.msg, short.args, short.exc_info, short.exc_text = f"{record.getMessage()}: {why}", (), None, None
        return short


class LoggedFlask(Flask):
    """Flask, whose log names the rule of an address where a request failed: the address may have a secret or an ID."""

    def log_exception(self, exc_info: Any) -> None:
        """Log an exception that nothing has handled."""
        address = request.url_rule or "unknown address"
        self.logger.error("Exception on %s [%s]", address, request.method, exc_info=exc_info)


class OneObject(OneLine):
    """Formats a record as a JSON object; what another formatter would add is not in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record on one line, in ASCII, so that it is read in any encoding."""
        record = self.explained(record)
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.current(),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in fields.items() if value})


FORMATS = {LINES: OneLine, JSON: OneObject}


def register(app: Flask) -> None:
    """Write the records of the app, of gunicorn, and of libraries without a handler on one line each."""
    app.logger.addFilter(one_line)
    level: str = app.config["LOG_LEVEL"]
    app.logger.setLevel(logging.NOTSET if level == USUAL_LEVEL else level.upper())
    write_as(app.config["LOG_FORMAT"], Path(app.config["INSTANCE_PATH"]))


def write_as(name: str, folder: Path | None = None) -> None:
    """Set the format of all log handlers of this process: LINES or JSON. :param folder: as OneLine takes it."""
    for handler in (default_handler, logging.lastResort, *logging.getLogger(SERVER).handlers):
        if handler:
            before = handler.formatter
            handler.setFormatter(FORMATS[name](before.inner if isinstance(before, OneLine) else before, folder))


def one_line(record: logging.LogRecord) -> bool:
    """Write a message of the app on one line. As a filter this works for handlers that others add, too."""
    record.msg, record.args = visible(record.getMessage()), ()
    return True


def visible(text: str) -> str:
    """Return the text with line breaks and invisible characters escaped."""
    is_invisible = text_rules.is_invisible
    return "".join(letter.encode("unicode_escape").decode() if is_invisible(letter) else letter for letter in text)
