"""The audit trail as CSV: UTF-8 with a byte order mark and semicolons, which a Russian Excel opens without a question.

Protects against CSV injection: no cell, and no part of one that a spreadsheet with other settings reads as a cell,
begins like a formula, which would run on the computer of whoever opens the file.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from hikflask.models import AuditEntry
from hikflask.services.audit import details_text
from hikflask.services.core.dates import local
from hikflask.web.admin import audit_words
from hikflask.web.support.actor_names import actor

BYTE_ORDER_MARK = "\ufeff"
SEPARATOR = ";"
# Where a cell begins or could begin: after any separator that a spreadsheet may use, and after quotes.
BEGINNING = re.compile(r'(^|[,;|"\t\r\n])([ \u00a0]*)(?=[=+\-@＝＋－＠])')
STRIPPED = ("\t", "\r", "\n")
TIME = "%Y-%m-%d %H:%M:%S"


def lines(batches: Iterable[list[AuditEntry]]) -> Iterator[str]:
    """Yield the file in parts: the header row, then one part for each batch."""
    yield BYTE_ORDER_MARK + _text([_header()])
    for batch in batches:
        yield _text([_cells(entry) for entry in batch])


def without_formula(cell: str) -> str:
    """Return a cell in which no spreadsheet finds a formula."""
    without = BEGINNING.sub(r"\1\2'", cell)
    return f"'{without}" if without.startswith(STRIPPED) else without


def _header() -> list[str]:
    return [
        _("Number"),
        _("Time"),
        _("Time (UTC)"),
        _("Who"),
        _("Network address"),
        _("Request"),
        _("Code"),
        _("What"),
        _("Employee ID"),
        _("Terminal"),
        _("Object"),
        _("Before"),
        _("After"),
    ]


def _cells(entry: AuditEntry) -> list[str]:
    return [
        str(entry.id),
        local(entry.at).strftime(TIME),
        entry.at.strftime(TIME),
        actor(entry.actor),
        entry.address,
        entry.request_id,
        entry.action,
        audit_words.action_text(entry.action),
        entry.employee,
        entry.terminal,
        audit_words.subject(entry),
        details_text(entry.before),
        details_text(entry.after),
    ]


def _text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL)
    writer.writerows([without_formula(cell) for cell in row] for row in rows)
    return out.getvalue()
