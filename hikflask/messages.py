"""The sentence for each code, in both languages; the only place where a code becomes a sentence.

A code is one of a refusal (codes/refusals.py), or a state. Each has several variants: the first one whose names are all
given is used.
"""

import re
from typing import Any

from flask_babel import force_locale, gettext, ngettext

from hikflask import text_rules
from hikflask.codes import refusals
from hikflask.isapi.errors import OWN_WORD, TerminalError
from hikflask.models.refusal import Refusal
from hikflask.services.core.errors import ServiceError, refusal_of
from hikflask.text_rules import N_

NAMES = re.compile(r"%\((\w+)\)s")


# What is said of a state, and what is no refusal.
SENTENCES: dict[str, tuple[str, ...]] = {
    # Alarms: the mail, and its subject.
    "alarm_removals": (
        N_("“%(t)s” has not confirmed removals for more than %(n)s h. These IDs may still open doors: %(who)s."),
        N_("“%(t)s”: access not withdrawn"),
    ),
    "alarm_removals_over": (N_("“%(t)s”: access withdrawn"),),
    "alarm_silent": (
        N_("“%(t)s” has not answered for more than %(n)s h. Check power and network."),
        N_("“%(t)s” does not answer"),
    ),
    "alarm_silent_over": (N_("“%(t)s” answers again"),),
    "alarm_password": (N_("“%(t)s” refused the password, and nothing more is sent to it"),),
    "alarm_password_over": (N_("“%(t)s”: the sign-in there works again"),),
    "alarm_backup": (N_("The last backup is older than %(n)s h or lacks photos, or there is none."), N_("no backup")),
    "alarm_backup_over": (N_("a backup was made"),),
    "alarm_disk": (
        N_("Little space is left on the disk of %(host)s. Once it is full, nothing can be saved. %(disks)s"),
        N_("little disk space left"),
    ),
    "alarm_disk_over": (N_("there is enough disk space again"),),
    "alarm_journal": (N_("“%(t)s”: %(what)s"),),
    "alarm_duress": (N_("“%(t)s”: entry under duress, somebody may be forced to open the door"),),
    "alarm_terminal_not_in_use": (N_("“%(t)s” is not in use any more"),),
    # A capture, from its start to its end.
    "queued": (N_("Waking up the terminal…"),),
    "bound_first": (
        N_("%(name)s is being sent to the terminal. The next capture begins by itself."),
        N_("The face before is being sent to the terminal. The next capture begins by itself."),
    ),
    "waiting": (
        N_("Look into the camera of “%(terminal)s”. %(n)s s left"),
        N_("Look into the camera of “%(terminal)s”."),
        N_("Look into the camera of the terminal."),
    ),
    "captured": (N_("✅ Photo captured!"),),
    "photo_of": (N_("Is this %(name)s?"),),
    "used": (N_("This photo is saved."),),
    "retake_cancelled": (N_("Retake cancelled. The earlier photo stays."),),
    "earlier_stays": (N_("The earlier photo stays."),),
    "failed": (N_("The capture failed. Try again."),),
    # An enrolment, per terminal.
    "enrolment_working": (N_("Person ✓ · face …"),),
    "enrolment_confirmed": (
        N_("On “%(t)s”: person and face. Checked %(time)s."),
        N_("On “%(t)s”: person and face."),
    ),
    "enrolment_person_only": (
        N_("Person on “%(t)s”, but no face: %(reason)s"),
        N_("Person on “%(t)s”, but no face."),
    ),
    "enrolment_old_face": (
        N_("The old face is still on “%(t)s” and opens doors. The new photo is not there: %(reason)s"),
        N_("The old face is still on “%(t)s” and opens doors."),
    ),
    "enrolment_waiting": (
        N_("“%(t)s” does not answer. The next try is %(time)s. Nothing is lost."),
        N_("“%(t)s” does not answer. Nothing is lost."),
    ),
    "removal_open": (
        N_("May still open doors: “%(t)s” (offline since %(time)s)"),
        N_("May still open doors: “%(t)s”"),
        N_("May still open doors"),
    ),
    "says_full": (
        N_(
            "The terminal says that it is full, though %(n)s of %(max)s are counted on it. Check the terminal, then "
            "try again."
        ),
    ),
    "removal_taken": (
        N_("This ID has another name there: %(name)s. The same person, or somebody else?"),
        N_("This ID has another name there. The same person, or somebody else?"),
    ),
    "not_checked": (
        N_("The way to “%(t)s” was changed and it has not answered since. Check it."),
        N_("The way to the terminal was changed and it has not answered since. Check it."),
    ),
    "photo_face_unchecked": (
        N_("The face was not looked for: face detection is not set up here. Only size, sharpness and light are known."),
    ),
    "files_unknown": (
        N_(
            "It is not known yet whether terminal “%(name)s” accepts photo files. "
            "If it does not, the photo stays on the server."
        ),
    ),
    "list_leaves_out": (
        N_("The terminal may leave people out of its list. Employees were asked for by ID, others may be on it, too."),
    ),
    "faces_not_told": (N_("The terminal does not tell for certain who has a face, so some may be without one."),),
    "numbers_shown_otherwise": (
        N_(
            "The terminal shows IDs without leading zeros or in upper case, so it shows employees as others. "
            "These are not removed."
        ),
    ),
    # What a plan says of the days of somebody who is taken over.
    "comes_in_inactive": (
        N_("The validity ended on %(day)s: comes in as inactive, and is removed from the terminal."),
        N_("The validity is over: comes in as inactive, and is removed from the terminal."),
    ),
    "whole_days": (
        N_("Only whole days count here, so it is %(here)s. On the terminal: %(there)s."),
        N_("The validity on the terminal begins or ends within a day, and only the whole days in it count here."),
    ),
    "days_change": (
        N_("So far it was here: %(before)s."),
        N_("The employee has other days here so far."),
    ),
    "kept_without_consent": (N_("The photo is stored, but no consent to it is recorded. Record the consent."),),
}
ALIASES = {"seconds": "n", "word": "code"}
# Who acts, where it is no operator and no token. The audit trail stores them in English; leases call the worker
# `background`.
ACTORS = {
    "nobody": N_("nobody"),
    "command line": N_("command line"),
    "worker": N_("worker"),
    "background": N_("worker"),
}

# What a function of the terminal is needed for.
CHECK, PERSON, FACE, FACE_REPLACED, FACE_REMOVED, PROOF, REMOVAL = (
    N_("check of the terminal"),
    N_("writing the person"),
    N_("binding the face"),
    N_("replacing the face"),
    N_("removing the face"),
    N_("proof"),
    N_("removal"),
)
STEPS = {
    "System/deviceInfo": CHECK,
    "UserInfo/Count": CHECK,
    "UserInfo/Record": PERSON,
    "UserInfo/Modify": PERSON,
    "UserInfo/Search": PROOF,
    "FDLib/FDSearch": PROOF,
    "FDLib/FDSetUp": FACE,
    "FDLib/FaceDataRecord": FACE,
    "FDLib/FDModify": FACE_REPLACED,
    "FDLib/FDDelete": FACE_REMOVED,
    "FDSearch/Delete": FACE_REMOVED,
    "UserInfoDetail/Delete": REMOVAL,
    "UserInfo/Delete": REMOVAL,
}


def counted_letters(limit: int) -> dict[str, str]:
    """Return how many letters fit into so many bytes: `latin` ones of one byte, or `russian` ones of two."""
    return {
        "latin": str(ngettext("%(num)s Latin letter", "%(num)s Latin letters", limit)),
        "russian": str(ngettext("%(num)s Cyrillic letter", "%(num)s Cyrillic letters", limit // 2)),
    }


def sentence(code: str, **params: Any) -> str:
    """Return the sentence for a code in the language of the answer; with fewer names it is shorter, and never fails.

    Texts of others are isolated, so that they cannot change the direction of its words; a `reason` is a sentence of
    ours.
    """
    reason = {"reason": params["reason"]} if "reason" in params else {}
    return _sentence(code, text_rules.all_isolated({"word": _shown(code), **params}) | reason)


def _sentence(code: str, params: dict[str, Any]) -> str:
    given = {name: value for name, value in {"word": _shown(code), **params}.items() if value not in (None, "")}
    # Some also have another name, which the sentences use.
    given = {ALIASES[name]: value for name, value in given.items() if name in ALIASES} | given
    if {"length", "limit", "letters"} <= given.keys():
        # How many letters of the alphabet of a name fit; none is said of letters that have more than two bytes.
        script = "latin" if given["letters"] == given["length"] else "russian"
        if given["limit"] // (1 if script == "latin" else 2) < given["letters"]:
            given["room"] = counted_letters(given["limit"])[script]
    if path := given.get("text"):
        # A function of the terminal, with the step that needs it: “FDLib/FDSetUp (binding the face)”.
        given.setdefault("function", f"{path} ({gettext(STEPS[path])})" if path in STEPS else path)
    for variant in _variants(code):
        if set(NAMES.findall(variant)) <= given.keys():
            return text_rules.filled(str(gettext(variant)), given)
    return str(gettext(refusals.UNKNOWN.sentences[-1])) % given


def refusal_sentence(refusal: Refusal | None, **about: Any) -> str:
    """Return the sentence of a refusal; `about` has values that it may lack, such as its terminal (t, address)."""
    if refusal is None:
        return ""
    params = {**about, **refusal["params"]}
    if "who" in params:
        params["who"] = actor_name(params["who"])
    return sentence(refusal["code"], **params)


def error_sentence(error: ServiceError | TerminalError, **about: Any) -> str:
    """Return the sentence of a refusal that was raised; `about` has values that it may lack."""
    return refusal_sentence(refusal_of(error), **about)


def actor_name(name: str) -> str:
    """Return the name of an actor as pages show it; an operator's or token's name stays as it is."""
    return str(gettext(ACTORS[name])) if name in ACTORS else name


def english(code: str, **params: Any) -> str:
    """Return the sentence in English, for the API and the command line, which name settings that pages do not."""
    with force_locale("en"):
        return _sentence(code, {"setting": refusals.type_of(code).setting, **params})


def english_of(refusal: Refusal | None) -> str:
    """Return the sentence of a refusal in English, for the API and the command line."""
    return english(refusal["code"], **refusal["params"]) if refusal else ""


def outline(code: str) -> str:
    """Return the shortest sentence in English with “…” for each value, for a list of codes."""
    variant = _variants(code)[-1]
    return variant % (dict.fromkeys(NAMES.findall(variant), "…") | {"code": _shown(code)})


def _variants(code: str) -> tuple[str, ...]:
    return SENTENCES.get(code) or refusals.type_of(code).sentences


def _shown(code: str) -> str:
    """Return a code without the prefix of a terminal's own code (isapi/errors.py)."""
    return code.removeprefix(OWN_WORD)
