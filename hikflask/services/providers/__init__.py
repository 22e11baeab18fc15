"""The providers of changes: what each kind of job does, by its name.

Who proposes changes, counts its losses and applies them is a module of its own room; services/changes does the rest.
"""

from functools import partial

from hikflask.services.changes import kinds
from hikflask.services.changes.kinds import (
    APPLY,
    APPLY_UNDO,
    COMPARE,
    CONSENT,
    DEACTIVATE,
    DELETE_PASSAGES,
    DEPARTMENT,
    EXPORT,
    GROUPS,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    PRINT,
    SEND,
    TERMINALS,
    Kind,
)
from hikflask.services.comparisons import apply, plan, reading
from hikflask.services.comparisons import undo as take_over_undo
from hikflask.services.employees import list_export, selection
from hikflask.services.groups import changing
from hikflask.services.imports import batches, job_items
from hikflask.services.imports import jobs as imports
from hikflask.services.imports.apply import apply_together, applying
from hikflask.services.passages import deletion

KINDS = {
    DEACTIVATE: Kind(selection.deactivate, losses=selection.leaving, active_only=True, by_admin=True),
    SEND: Kind(selection.send, active_only=True, awaits_confirmation=True),
    DEPARTMENT: Kind(selection.set_department, losses=selection.moving),
    CONSENT: Kind(selection.record_consent, active_only=True, lacking_consent=True),
    EXPORT: Kind(None, list_export.write_file, audit_action="employees.exported"),
    PRINT: Kind(None),
    GROUPS: Kind(changing.apply, losses=changing.losing, awaits_confirmation=True, can_stop=False),
    IMPORT_CHECK: Kind(None, whole=imports.check, can_retry=False, operators_only=True),
    IMPORT: Kind(
        None,
        together=lambda numbers, params: apply_together(params["batch"], numbers),
        prepare=lambda item, params: applying(job_items.row_of(item, params["batch"])),
        whole=imports.add_items,
        end=lambda params: batches.remove_photos(params["batch"]),
        can_retry=False,
        operators_only=True,
    ),
    IMPORT_UNDO: Kind(imports.undo, whole=partial(job_items.add, undo=True), can_retry=False, operators_only=True),
    COMPARE: Kind(None, whole=reading.compare, lane=TERMINALS, can_retry=False),
    APPLY: Kind(
        None,
        prepare=apply.applying,
        losses=plan.losing,
        removes=plan.removes,
        lane=TERMINALS,
        awaits_confirmation=True,
        operators_only=True,
    ),
    APPLY_UNDO: Kind(
        lambda item, params: take_over_undo.take_back(params["job"], item.number), can_retry=False, operators_only=True
    ),
    DELETE_PASSAGES: Kind(None, whole=deletion.delete_all, can_retry=False, by_admin=True),
}


def register() -> None:
    """Make the kinds known to those who start and run jobs."""
    kinds.KINDS.update(KINDS)
