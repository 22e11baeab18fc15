"""The words for an entry of the audit trail: what was done, and what changed by it."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext

from hikflask import messages
from hikflask.labels import comparisons, dates, jobs, settings
from hikflask.labels.operators import ROLES
from hikflask.messages import N_
from hikflask.services.audit import Entry

ACTIONS = {
    "employee.created": N_("Employee added"),
    "employee.changed": N_("Employee changed"),
    "employee.renumbered": N_("Employee ID given up for another one"),
    "employee.groups_changed": N_("Employee's groups of terminals changed"),
    "employee.photo_changed": N_("Employee's photo changed"),
    "employee.activated": N_("Employee activated"),
    "employee.validity_over": N_("Validity ended"),
    "employee.deactivated": N_("Employee deactivated"),
    "employee.deleted": N_("Employee deleted"),
    "employee.erased": N_("Erasure of all data of the employee requested"),
    "employee.exported": N_("What is stored about the employee exported"),
    "erasure.completed": N_("Erasure of all data of the employee complete"),
    "consent.recorded": N_("Consent recorded"),
    "consent.withdrawn": N_("Consent withdrawn"),
    "photo.viewed": N_("Photo looked at"),
    "capture.started": N_("Capture started"),
    "capture.taken": N_("Face captured"),
    "capture.failed": N_("Capture failed"),
    "capture.cancelled": N_("Capture cancelled"),
    "capture.superseded": N_("Captured picture replaced by a later one"),
    "capture.taken_over": N_("Somebody's unsaved picture given up for a new capture"),
    "photo.forgotten": N_("Photo deleted when its time was over"),
    "capture.forgotten": N_("Captured picture deleted, since nobody saved it"),
    "capture.saved_by_another": N_("Picture that somebody else captured taken over"),
    "capture.used": N_("Captured picture saved to the employee's record"),
    "enrolment.wanted": N_("To be brought to the terminal"),
    "enrolment.unwanted": N_("To be removed from the terminal"),
    "enrolment.retried": N_("Tried again on the terminal"),
    "enrolment.replaced": N_("Removal of whoever has this ID from the terminal requested"),
    "enrolment.removed_by_hand": N_("Said to be gone from a device that did not confirm it"),
    "enrolment.somebody_elses": N_("Said to be somebody else's record on the terminal, which stays"),
    "enrolment.confirmed": N_("Terminal confirmed person and face"),
    "enrolment.person_confirmed": N_("Terminal confirmed the person, without a face"),
    "enrolment.refused": N_("Not done on the terminal"),
    "enrolment.removed": N_("Terminal confirmed the removal"),
    "enrolment.removal_chosen": N_("Removal from the terminal requested after a comparison"),
    "enrolment.taken_over": N_("Taken over from the terminal"),
    "difference.left_alone": N_("Difference on the terminal left as it is"),
    "difference.taken_back": N_("Difference on the terminal no longer left as it is"),
    "terminal.compared": N_("Terminal compared with what is desired there"),
    "terminal.added": N_("Terminal added"),
    "terminal.changed": N_("Terminal changed"),
    "terminal.password_changed": N_("Another password given for the terminal"),
    "terminal.password_refused": N_("Terminal refused the password"),
    "terminal.try_allowed": N_("One more try of the terminal's password allowed"),
    "terminal.certificate_changed": N_("Terminal showed another certificate"),
    "terminal.other_device": N_("Another device answered at the terminal's address"),
    "terminal.restored": N_("People of the device before to be brought to the present one"),
    "terminal.restore_ended": N_("Writing to the terminal allowed after a restore"),
    "installation.restored": N_("Installation restored from a backup"),
    "terminal.people_lost": N_("Terminal has fewer people or faces than it confirmed"),
    "terminal.retired": N_("Terminal taken out of service for good"),
    "terminal.deleted": N_("Terminal deleted"),
    "operator.created": N_("Operator added"),
    "operator.changed": N_("Operator changed"),
    "operator.left_directory": N_("Operator left the groups of the directory, so all sessions ended"),
    "operator.password_changed": N_("Operator's password changed"),
    "operator.password_reset": N_("Operator given a temporary password"),
    "second_factor.set_up": N_("Second factor set up"),
    "second_factor.new_codes": N_("New recovery codes made"),
    "second_factor.code_used": N_("Recovery code used"),
    "second_factor.refused": N_("Wrong code of the second factor"),
    "second_factor.removed": N_("Second factor removed"),
    "setting.changed": N_("Setting changed"),
    "setting.reset": N_("Setting given back to the default"),
    "token.created": N_("API token made"),
    "token.revoked": N_("API token revoked"),
    "webhook.added": N_("Webhook added"),
    "webhook.changed": N_("Webhook switched on or off"),
    "webhook.tested": N_("Test sent to a webhook"),
    "webhook.deleted": N_("Webhook deleted"),
    "token.refused": N_("Unknown API token refused"),
    "sign_in": N_("Sign-in"),
    "sign_in.refused": N_("Sign-in refused"),
    "sign_in.throttled": N_("Too many tries to sign in"),
    "confirmation.refused": N_("Wrong password when asked again"),
    "sign_out": N_("Signed out"),
    "sign_out.elsewhere": N_("Session ended from elsewhere"),
    "sign_out.everywhere": N_("All sessions ended"),
    "sign_out.oldest": N_("Oldest session ended, since too many were open"),
    "access.refused": N_("Access refused"),
    "employees.exported": N_("List of employees exported"),
    "department.created": N_("Department added"),
    "department.renamed": N_("Department renamed"),
    "department.merged": N_("Department merged into another one"),
    "department.deleted": N_("Department deleted"),
    "group.created": N_("Group of terminals added"),
    "group.changed": N_("Group of terminals changed"),
    "group.deleted": N_("Group of terminals deleted"),
    "employees.export_downloaded": N_("Exported list downloaded"),
    "job.started": N_("Job for many people started"),
    "job.stopped": N_("Job for many people stopped"),
    "job.retried": N_("Job for many people tried again"),
    "import.undone": N_("Import undone"),
    "terminal.clock_set": N_("Terminal's clock and time zone set"),
    "secrets.rotated": N_("Stored secrets encrypted with a new key"),
    "audit.exported": N_("Audit trail exported"),
}
FIELDS = {
    "number": N_("Employee ID"),
    "name": N_("Name"),
    "full_name": N_("Full name"),
    "department": N_("Department"),
    "terminal_name": N_("Name on terminals"),
    "valid_from": N_("Valid from"),
    "valid_to": N_("Valid to"),
    "groups": N_("Groups of terminals"),
    "terminals": N_("Terminals"),
    "departments": N_("Departments"),
    "source": N_("Where from"),
    "reason": N_("Reason"),
    "note": N_("Note"),
    "text": N_("In the terminal's words"),
    "requested_by": N_("Requested by"),
    "url": N_("Address"),
    "username": N_("Account"),
    "fingerprint": N_("Certificate fingerprint"),
    "is_active": N_("In use"),
    "face_by_picture": N_("Accepts photo files"),
    "people": N_("People"),
    "faces": N_("Faces"),
    "serial": N_("Serial number"),
    "role": N_("Role"),
    "expires_at": N_("Valid until"),
    "rule": N_("Rule"),
    "given_on": N_("Given on"),
    "basis": N_("Basis"),
    "passwords": N_("Passwords"),
    "secrets": N_("Secrets"),
    "events": N_("Events"),
    "entries": N_("Entries"),
    "actor": N_("Who"),
    "action": N_("What"),
    "employee": N_("Employee ID"),
    "terminal": N_("Terminal"),
    "job": N_("Job"),
    "format": N_("Format"),
    "since": N_("From"),
    "until": N_("To"),
    "seconds_ahead": N_("Seconds fast"),
    "zone": N_("Time zone"),
    "without_looks": N_("Without looks at photos"),
    "kind": N_("Difference"),
    "photo": N_("With a photo"),
    "same": N_("The same"),
    "face_missing": N_("Face missing"),
    "face_other": N_("Another face"),
    "only_here": N_("Only here"),
    "only_there": N_("Only on the terminal"),
    "validity": N_("Validity differs"),
    "names_differ": N_("Name differs"),
    "value": N_("Value"),
    "directory": N_("Company's directory"),
    "encoded_anew": N_("Pictures that the terminal encodes anew"),
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
    "source": {"capture": N_("terminal"), "upload": N_("file"), "terminal": N_("terminal")},
    "role": ROLES,
    "basis": {"consent": N_("Consent"), "contract": N_("Contract"), "law": N_("Law")},
    "rule": {
        "superseded": N_("no longer used"),
        "never": settings.WORDS["never"],
        "days": settings.NUMBERS["PHOTO_RETENTION"],
        "left": N_("the employee left"),
    },
    "job": jobs.TITLES,
    "kind": comparisons.KINDS_OF_PERSONS,
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
    return str(gettext(ACTIONS[action])) if action in ACTIONS else action


def subject_label(entry: Entry) -> str:
    """Return what the action was done to, when that is neither an employee nor a terminal."""
    if entry.action in OF_SETTINGS:
        return settings.label(entry.subject)
    if entry.action not in SUBJECTS:
        return entry.subject
    noted, words = SUBJECTS[entry.action]
    found = noted.match(entry.subject)
    return str(gettext(words, n=found[1])) if found else entry.subject


def stored_actor(shown: str) -> str:
    """Return the name of an actor as the audit trail stores it, from the name that a page shows."""
    typed = shown.strip().casefold()
    return next((name for name in messages.ACTORS if messages.actor_name(name).casefold() == typed), shown)


def action_choices() -> list[tuple[str, str]]:
    """Return the choices of the filter: all actions, then each one in the order of the table."""
    return [("", str(gettext("Everything"))), *((action, action_label(action)) for action in ACTIONS)]


def changes(entry: Entry) -> list[Change]:
    """Return what changed by the action."""
    before, after = _object(entry.before), _object(entry.after)
    return [Change(_label(name), _value_text(name, before), _value_text(name, after)) for name in {**before, **after}]


def _object(details: dict[str, Any] | str | None) -> dict[str, Any]:
    """Return one side of an entry as an object; a text that was cut for its length is shown as it is."""
    return {"": details} if isinstance(details, str) else details or {}


def _label(name: str) -> str:
    return str(gettext(FIELDS[name])) if name in FIELDS else name


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
        return messages.sentence(value.lower(), word=value.removeprefix(messages.TERMINALS_OWN))
    if name == "action":
        return action_label(value)
    if name in ACTORS:
        return messages.actor_name(value)
    if name in DAYS | MOMENTS | ENDS:
        return _time(name, value)
    words = VALUES.get(name, {})
    return str(gettext(words[value])) if value in words else value


def _time(name: str, value: str) -> str:
    """Return a day or a moment as pages show it; anything else as it is."""
    try:
        if name in DAYS or len(value) == len("2026-01-31"):
            return dates.local_day(date.fromisoformat(value))
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return dates.valid_until(moment) if name in ENDS else dates.full_time(moment)
