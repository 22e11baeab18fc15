"""The words for an entry of the audit trail: what was done, and what changed by it."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import format_decimal, gettext
from flask_babel import lazy_gettext as _l

from hikflask import messages
from hikflask.isapi.errors import OWN_WORD
from hikflask.labels import comparisons, dates, jobs, settings
from hikflask.labels.operators import ROLES
from hikflask.services.audit import Entry
from hikflask.services.audit.operations import Operation
from hikflask.text_rules import N_

ACTIONS = {
    "employee.created": _l("Employee added"),
    "employee.changed": _l("Employee changed"),
    "employee.renumbered": _l("Employee ID given up for another one"),
    "employee.groups_changed": _l("Employee's groups of terminals changed"),
    "employee.photo_changed": _l("Employee's photo changed"),
    "cards.exported": _l("List of cards given out"),
    "card.given": _l("Card given"),
    "card.lost": _l("Card reported lost"),
    "card.taken_away": _l("Card taken away"),
    "employee.activated": _l("Employee activated"),
    "employee.validity_over": _l("Validity ended"),
    "employee.deactivated": _l("Employee deactivated"),
    "employee.deleted": _l("Employee deleted"),
    "employee.erased": _l("Erasure of all data of the employee requested"),
    "employee.exported": _l("What is stored about the employee exported"),
    "erasure.completed": _l("Erasure of all data of the employee complete"),
    "consent.recorded": _l("Consent recorded"),
    "consent.withdrawn": _l("Consent withdrawn"),
    "photo.viewed": _l("Photo looked at"),
    "passage.viewed": _l("Pictures of passages looked at"),
    "capture.started": _l("Capture started"),
    "capture.taken": _l("Photo taken"),
    "capture.failed": _l("Capture failed"),
    "capture.cancelled": _l("Capture cancelled"),
    "capture.superseded": _l("Captured picture replaced by a later one"),
    "capture.taken_over": _l("Somebody's unsaved picture given up for a new capture"),
    "photo.forgotten": _l("Photo deleted when its time was over"),
    "capture.forgotten": _l("Captured picture deleted, since nobody saved it"),
    "capture.saved_by_another": _l("Photo taken by another operator saved"),
    "capture.used": _l("Captured picture saved to the employee's record"),
    "enrolment.wanted": _l("To be brought to the terminal"),
    "enrolment.unwanted": _l("To be removed from the terminal"),
    "enrolment.retried": _l("Tried again on the terminal"),
    "enrolment.replaced": _l("Removal of whoever has this ID from the terminal requested"),
    "enrolment.removed_by_hand": _l("Said to be gone from a device that did not confirm it"),
    "enrolment.somebody_elses": _l("Said to be somebody else's record on the terminal, which stays"),
    "enrolment.confirmed": _l("Terminal confirmed person and face"),
    "enrolment.person_confirmed": _l("Terminal confirmed the person, without a face"),
    "enrolment.refused": _l("Not done on the terminal"),
    "enrolment.removed": _l("Terminal confirmed the removal"),
    "enrolment.removal_chosen": _l("Removal from the terminal requested after a comparison"),
    "enrolment.taken_over": _l("Taken over from the terminal"),
    "enrolment.taking_over_undone": _l("Taking over undone"),
    "difference.left_alone": _l("Difference on the terminal left as it is"),
    "difference.taken_back": _l("Difference on the terminal no longer left as it is"),
    "terminal.compared": _l("Terminal compared with what is desired there"),
    "terminal.added": _l("Terminal added"),
    "terminal.changed": _l("Terminal changed"),
    "terminal.password_changed": _l("Another password given for the terminal"),
    "terminal.password_refused": _l("Terminal refused the password"),
    "terminal.try_allowed": _l("One more try of the terminal's password allowed"),
    "terminal.certificate_changed": _l("Terminal showed another certificate"),
    "terminal.other_device": _l("Another device answered at the terminal's address"),
    "terminal.restored": _l("People of the device before to be brought to the present one"),
    "terminal.restore_ended": _l("Writing to the terminal allowed after a restore"),
    "clock.jumped": _l("The server's clock jumped"),
    "installation.restored": _l("Installation restored from a backup"),
    "terminal.people_lost": _l("Terminal has fewer people or faces than it confirmed"),
    "terminal.retired": _l("Terminal taken out of service for good"),
    "terminal.deleted": _l("Terminal deleted"),
    "operator.created": _l("Operator added"),
    "operator.changed": _l("Operator changed"),
    "operator.left_directory": _l("Operator left the groups of the directory, so all sessions ended"),
    "operator.password_changed": _l("Operator's password changed"),
    "operator.password_reset": _l("Operator given a temporary password"),
    "second_factor.set_up": _l("Second factor set up"),
    "second_factor.new_codes": _l("New recovery codes made"),
    "second_factor.code_used": _l("Recovery code used"),
    "second_factor.refused": _l("Wrong code of the second factor"),
    "second_factor.removed": _l("Second factor removed"),
    "setting.changed": _l("Setting changed"),
    "alarm.seen": _l("Alarm of a terminal marked as seen"),
    "passages.deleted": _l("Deletion of all passages requested"),
    "setting.reset": _l("Setting given back to the default"),
    "mail.tested": _l("Test mail sent, or tried to"),
    "token.created": _l("API token made"),
    "token.revoked": _l("API token revoked"),
    "webhook.added": _l("Webhook added"),
    "webhook.changed": _l("Webhook switched on or off"),
    "webhook.tested": _l("Test sent to a webhook"),
    "webhook.deleted": _l("Webhook deleted"),
    "token.refused": _l("Unknown API token refused"),
    "sign_in": _l("Sign-in"),
    "sign_in.refused": _l("Sign-in refused"),
    "sign_in.throttled": _l("Too many tries to sign in"),
    "confirmation.refused": _l("Wrong password when asked again"),
    "sign_out": _l("Signed out"),
    "sign_out.elsewhere": _l("Session ended from elsewhere"),
    "sign_out.everywhere": _l("All sessions ended"),
    "sign_out.oldest": _l("Oldest session ended, since too many were open"),
    "access.refused": _l("Access refused"),
    "employees.exported": _l("List of employees exported"),
    "department.created": _l("Department added"),
    "department.renamed": _l("Department renamed"),
    "department.merged": _l("Department merged into another one"),
    "department.deleted": _l("Department deleted"),
    "group.created": _l("Group of terminals added"),
    "group.changed": _l("Group of terminals changed"),
    "group.deleted": _l("Group of terminals deleted"),
    "employees.export_downloaded": _l("Exported list downloaded"),
    "job.started": _l("Job for many people started"),
    "job.stopped": _l("Job for many people stopped"),
    "job.retried": _l("Job for many people tried again"),
    "import.undone": _l("Import undone"),
    "import_mapping.saved": _l("Columns of imports kept"),
    "import_mapping.renamed": _l("Saved columns of imports renamed"),
    "import_mapping.deleted": _l("Saved columns of imports deleted"),
    "terminal.clock_set": _l("Terminal's clock and time zone set"),
    "terminal.door_asked": _l("Terminal asked to open its door"),
    "terminal.door_opened": _l("Door opened"),
    "terminal.door_not_known": _l("Not known whether the door opened"),
    "terminal.door_refused": _l("Door not opened"),
    "terminal.sends_elsewhere": _l("Terminal sends events to somebody else"),
    "terminal.destination_cleared": _l("Terminal sends no events to somebody else any more"),
    "terminal.privacy_set": _l("What the terminal keeps and shows set as decided"),
    "secrets.rotated": _l("Stored secrets encrypted with a new key"),
    "audit.exported": _l("Audit trail exported"),
    "passages.exported": _l("Passages exported"),
}
# In the choices of the filter, by how the actions begin. What none of them fits is in the last group.
KINDS = (
    (_l("Employees"), ("employee", "department.", "consent.", "erasure.", "photo.")),
    (_l("Captures"), ("capture.",)),
    (_l("Terminals"), ("enrolment.", "difference.", "terminal.", "group.")),
    (_l("Jobs and imports"), ("job.", "import")),
    (_l("Sign-in"), ("sign_", "second_factor.", "confirmation.", "access.", "token.refused")),
    (_l("Administration"), ("",)),
)
FIELDS = {
    "number": _l("Employee ID"),
    "name": _l("Name"),
    "full_name": _l("Full name"),
    "card": _l("Card"),
    "department": _l("Department"),
    "terminal_name": _l("Name on terminals"),
    "valid_from": _l("Valid from"),
    "valid_to": _l("Valid to"),
    "groups": _l("Groups of terminals"),
    "terminals": _l("Terminals"),
    "departments": _l("Departments"),
    "source": _l("Where from"),
    "reason": _l("Reason"),
    "note": _l("Note"),
    "text": _l("In the terminal's words"),
    "requested_by": _l("Requested by"),
    "url": _l("Address"),
    "username": _l("Account"),
    "fingerprint": _l("Certificate fingerprint"),
    "is_active": _l("In use"),
    "face_by_picture": _l("Accepts photo files"),
    "direction": _l("Direction"),
    "people": _l("People"),
    "faces": _l("Faces"),
    "serial": _l("Serial number"),
    "role": _l("Role"),
    "expires_at": _l("Valid until"),
    "rule": _l("Rule"),
    "given_on": _l("Given on"),
    "basis": _l("Basis"),
    "passwords": _l("Passwords"),
    "secrets": _l("Secrets"),
    "events": _l("Events"),
    "entries": _l("Entries"),
    "actor": _l("Who"),
    "action": _l("What"),
    "request": _l("Request"),
    "employee": _l("Employee ID"),
    "terminal": _l("Terminal"),
    "job": _l("Job"),
    "format": _l("Format"),
    "for": _l("For what"),
    "from": _l("From"),
    "to": _l("To"),
    "since": _l("From"),
    "until": _l("To"),
    "seconds_ahead": _l("Seconds fast"),
    "zone": _l("Time zone"),
    "slot": _l("Slot"),
    "address": _l("Address"),
    "pictures": _l("Pictures of passages"),
    "names": _l("Names on its screen"),
    "ids": _l("IDs on its screen"),
    "storage": _l("Oldest events are overwritten"),
    "without_looks": _l("Without looks at photos"),
    "kind": _l("Difference"),
    "photo": _l("With a photo"),
    "same": _l("The same"),
    "face_missing": _l("Face missing"),
    "face_other": _l("Another face"),
    "only_here": _l("Only here"),
    "only_there": _l("Only on the terminal"),
    "validity": _l("Validity differs"),
    "names_differ": _l("Name differs"),
    "value": _l("Value"),
    "directory": _l("Company's directory"),
    "encoded_anew": _l("Pictures that the terminal encodes anew"),
}
# Fields that are days, moments, ends of a validity, names of actors.
DAYS = {"given_on", "valid_from", "valid_to"}
MOMENTS = {"since", "until"}
ENDS = {"expires_at"}
ACTORS = {"requested_by", "actor"}
# What an action was done to, by the action: how it is noted, and the words for it.
ERASURE = (re.compile(r"erasure (\d+)\Z"), N_("erasure No. %(n)s"))
JOB = (re.compile(r"job (\d+)\Z"), N_("job %(n)s"))
IMPORT = (re.compile(r"import (\d+)\Z"), N_("import %(n)s"))
SUBJECTS = {
    "employee.erased": ERASURE,
    "erasure.completed": ERASURE,
    "job.started": JOB,
    "job.stopped": JOB,
    "job.retried": JOB,
    "import.undone": IMPORT,
    "employees.exported": JOB,
    "employees.export_downloaded": JOB,
}
OF_SETTINGS = {"setting.changed", "setting.reset"}
# Field → the words for its values.
VALUES = {
    "source": {"capture": _l("terminal"), "upload": _l("file"), "terminal": _l("terminal")},
    "role": ROLES,
    "direction": {"in": _l("entrance"), "out": _l("exit")},
    "basis": {"consent": _l("Consent"), "contract": _l("Contract"), "law": _l("Law")},
    "rule": {
        "superseded": _l("no longer used"),
        "never": settings.WORDS["never"],
        "days": settings.WORDS_OF["PHOTO_RETENTION"].number,
        "left": _l("the employee left"),
    },
    "job": jobs.TITLES,
    "kind": comparisons.KINDS_OF_PERSONS,
    "for": {
        "api": _l("a program, by the API"),
        "webhook": _l("a program, by a webhook"),
        "evacuation": _l("the list for an evacuation"),
    },
    # Of a setting.
    "value": settings.WORDS,
}


@dataclass(frozen=True)
class Change:
    """A changed field; None where it was not there before, or is not there any more."""

    label: str
    before: str | None
    after: str | None


def unreadable_label() -> str:
    """Return what is said of an entry about a person whose key is gone."""
    return str(gettext("Personal data can no longer be read"))


def action_label(action: str) -> str:
    """Return the words for an action; one without words is shown by its code."""
    return str(ACTIONS.get(action, action))


def subject_label(entry: Entry) -> str:
    """Return what the action was done to, when that is neither an employee nor a terminal."""
    if entry.action in OF_SETTINGS:
        return settings.label(entry.subject)
    if entry.action not in SUBJECTS:
        return entry.subject
    pattern, words = SUBJECTS[entry.action]
    noted = pattern.match(entry.subject)
    return str(gettext(words, n=noted[1])) if noted else entry.subject


def stored_actor(shown: str) -> str:
    """Return the name of an actor as the audit trail stores it, from the name that a page shows."""
    typed = shown.strip().casefold()
    return next((name for name in messages.ACTORS if messages.actor_name(name).casefold() == typed), shown)


def action_choices() -> list[tuple[str, str]]:
    """Return the choices of the filter: all actions, then each one in the order of the table."""
    return [("", str(gettext("Everything"))), *((action, action_label(action)) for action in ACTIONS)]


def action_groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the actions in groups with their titles, each with its words."""
    left = [*ACTIONS]
    groups = []
    for title, beginnings in KINDS:
        actions = [action for action in left if action.startswith(beginnings)]
        left = [action for action in left if action not in actions]
        groups.append((str(title), [(action, action_label(action)) for action in actions]))
    return groups


def operation_label(operation: Operation) -> str:
    """Return the words for an operation: what it is named after, and how often that was done."""
    return _times(operation.entry.action, operation.counts[operation.entry.action], operation.is_partly_counted)


def other_labels(operation: Operation) -> list[str]:
    """Return what else was done by the operation, each with how often."""
    others = [(action, count) for action, count in operation.counts.items() if action != operation.entry.action]
    return [_times(action, count, operation.is_partly_counted) for action, count in others]


def _times(action: str, count: int, is_partly_counted: bool) -> str:
    if count == 1:
        return action_label(action)
    number = format_decimal(count)
    if is_partly_counted:
        number = gettext("more than %(n)s", n=number)
    return f"{action_label(action)}: {number}"


def changes(entry: Entry) -> list[Change]:
    """Return what changed by the action."""
    before, after = _object(entry.before), _object(entry.after)
    return [
        Change(str(FIELDS.get(name, name)), _value_text(name, before), _value_text(name, after))
        for name in {**before, **after}
    ]


def _object(details: dict[str, Any] | str | None) -> dict[str, Any]:
    """Return one side of an entry as an object; a text that was cut for its length is shown as it is."""
    return {"": details} if isinstance(details, str) else details or {}


def _value_text(name: str, values: dict[str, Any]) -> str | None:
    if name not in values:
        return None
    value = values[name]
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if value is None or value == "":
        return "—"
    return _word(name, str(value))


def _word(name: str, value: str) -> str:
    if name == "reason":
        return messages.sentence(value.lower(), word=value.removeprefix(OWN_WORD))
    if name == "action":
        return action_label(value)
    if name in ACTORS:
        return messages.actor_name(value)
    if name in DAYS | MOMENTS | ENDS:
        return _time(name, value)
    return str(VALUES.get(name, {}).get(value, value))


def _time(name: str, value: str) -> str:
    """Return a day or a moment as pages show it; anything else as it is."""
    try:
        if name in DAYS or len(value) == len("2026-01-31"):
            return dates.local_day(date.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return dates.valid_until(moment) if name in ENDS else dates.full_time(moment)
