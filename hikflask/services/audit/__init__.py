"""The audit trail: whoever notes a deed writes `audit.note(…)`; it is all in log.py."""

from hikflask.services.audit.log import (
    COMMAND_LINE,
    NOBODY,
    SAME_SECONDS,
    WORKER,
    Actor,
    acting,
    begin,
    details_text,
    end,
    note,
    note_alone,
    note_look,
    note_refused_access,
    one_line,
    present_actor,
)

__all__ = [
    "COMMAND_LINE",
    "NOBODY",
    "SAME_SECONDS",
    "WORKER",
    "Actor",
    "acting",
    "begin",
    "details_text",
    "end",
    "note",
    "note_alone",
    "note_look",
    "note_refused_access",
    "one_line",
    "present_actor",
]
