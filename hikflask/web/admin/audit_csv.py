"""The audit trail as the rows of a CSV file."""

from collections.abc import Iterable, Iterator

from flask_babel import gettext as _

from hikflask.labels import audit as labels
from hikflask.labels.actors import actor_name
from hikflask.services.audit import Entry, details_text
from hikflask.services.core.dates import TABLE_TIME, local
from hikflask.services.spreadsheets.csv_writer import Rows


def parts(batches: Iterable[list[Entry]]) -> Iterator[Rows]:
    """Yield the rows in parts: the header row, then one part for each batch."""
    yield [_header()]
    for batch in batches:
        yield [_cells(entry) for entry in batch]


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


def _cells(entry: Entry) -> list[str]:
    return [
        str(entry.id),
        local(entry.at).strftime(TABLE_TIME),
        entry.at.strftime(TABLE_TIME),
        actor_name(entry.actor),
        entry.address,
        entry.request_id,
        entry.action,
        labels.action_label(entry.action),
        entry.employee,
        entry.terminal,
        labels.subject_label(entry) if entry.is_readable else labels.unreadable_label(),
        details_text(entry.before),
        details_text(entry.after),
    ]
