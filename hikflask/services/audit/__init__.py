"""The audit trail. `audit.record(…)` adds an entry; this and what belongs to it is in log.py."""

from hikflask.services.audit.log import (
    COMMAND_LINE,
    NOBODY,
    SAME_SECONDS,
    WORKER,
    Actor,
    acting,
    details_text,
    one_line,
    present_actor,
    record,
    record_alone,
    record_photo_view,
    record_refused_access,
)
from hikflask.services.audit.sealing import Entry, destroy_keys, keys_left_by, names_known, numbers_of

__all__ = [
    "COMMAND_LINE",
    "NOBODY",
    "SAME_SECONDS",
    "WORKER",
    "Actor",
    "Entry",
    "acting",
    "destroy_keys",
    "details_text",
    "keys_left_by",
    "names_known",
    "numbers_of",
    "one_line",
    "present_actor",
    "record",
    "record_alone",
    "record_photo_view",
    "record_refused_access",
]
