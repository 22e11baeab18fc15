"""What each code of a refusal means, and all that follows from it: one row for each, for services, pages and the API.

A code is one of services/core/errors.py, or of isapi/errors.py. messages.py fills in the sentence.
"""

from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from hikflask.codes.badges import CAPTURE_AGAIN, FACE_REFUSED, NO_PHOTO_THERE, NOT_SENT
from hikflask.isapi.errors import CLASSES, OWN_CODE_COUNTS
from hikflask.text_rules import N_

BAD_GATEWAY = HTTPStatus.BAD_GATEWAY
CONFLICT = HTTPStatus.CONFLICT
INVALID = HTTPStatus.UNPROCESSABLE_ENTITY
TIMEOUT = HTTPStatus.GATEWAY_TIMEOUT
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE

# Why an enrolment needs a person, as one word for all that the same action mends: the terminal needs a photo that it
# takes; somebody else has the ID there; it shows something else than the restored backup; the name or the ID must be
# typed otherwise; the face there must be removed at the terminal.
PHOTO, TAKEN, CHANGED, LEFT_ALONE, FORM, FULL, FACE = "photo", "taken", "changed", "left_alone", "form", "full", "face"
ITSELF = "itself"
# What helps: photos are taken, the password or another fact of the terminal is corrected, room is made, the employee is
# changed, or a person decides whose the ID is, or removes it by hand, or says what an import's columns are. An
# administrator alone corrects a terminal.
ROUND, PASSWORD, TERMINAL, PEOPLE, RETRY = "round", "password", "terminal", "people", "retry"
EMPLOYEE, WHOSE, BY_HAND, COLUMNS = "employee", "whose", "by_hand", "columns"
BY_ADMIN = {PASSWORD, TERMINAL}


@dataclass(frozen=True)
class RefusalType:
    """What a code means.

    `sentences`: the first one whose names are all given is said. `status`: of the API's answer; None for what is stored
    in rows alone, and for a terminal's own codes. `page`: of a page, where that has another. `in_api`: False for what
    calls of the API never get. `field`: the form field that is wrong. `retryable`: the program tries again by itself.
    `retry_after`: after how many seconds the same request may succeed, where that is known. `setting`: the one that may
    be the cause. `icon`: of a capture that ended so.

    Of an enrolment: `badge` says why a face is missing, or that nothing was sent; `cause` is ITSELF where no other code
    has it, and empty where it depends on the person there; `step` helps everybody whom a terminal refuses for this.
    """

    sentences: tuple[str, ...]
    status: HTTPStatus | None = None
    page: HTTPStatus | None = None
    in_api: bool = True
    field: str = ""
    retryable: bool = False
    retry_after: int | None = None
    setting: str = ""
    icon: str = "warning"
    badge: str = ""
    cause: str = ""
    step: str = RETRY

    @property
    def page_status(self) -> HTTPStatus:
        """The status of a page that shows it: 409 for a terminal's own, which the page explains."""
        return self.page or self.status or CONFLICT

    @property
    def api_status(self) -> HTTPStatus:
        """The status of the API's answer; a code that only terminals use is a refusal of theirs."""
        return self.status or BAD_GATEWAY

    @property
    def says_when(self) -> bool:
        """True when the sentence has the next try in it."""
        return "%(time)s" in self.sentences[0]


def row(status: HTTPStatus | None, *sentences: str, **facts: Any) -> RefusalType:
    """Return a row of the table below."""
    return RefusalType(sentences, status, **facts)


# Refused here, before any terminal is asked: a page and the API answer alike.
conflict, invalid, not_found = partial(row, CONFLICT), partial(row, INVALID), partial(row, HTTPStatus.NOT_FOUND)
bad_gateway, unavailable = partial(row, BAD_GATEWAY), partial(row, UNAVAILABLE)
of_capture, of_name = partial(conflict, field="capture_id"), partial(conflict, field="name")
of_file, of_photos = partial(invalid, field="file"), partial(invalid, field="photos")
of_address, of_setting = partial(invalid, field="url"), partial(invalid, field="value")
signing_in = partial(invalid, in_api=False)
of_password = partial(signing_in, field="password")
# What came of asking the terminal: the API answers as a gateway to it does, a page tells a conflict.
asked = partial(row, page=CONFLICT)
not_verified = partial(row, BAD_GATEWAY, page=CONFLICT, retryable=True)
# No request is answered with its code: stored in rows alone, or a terminal's own word.
other = partial(row, None)
# There is no photo; it is lost; the terminal does not take it.
LACKS_PHOTO = {"badge": NO_PHOTO_THERE, "cause": PHOTO, "step": ROUND}
LOST_PHOTO = {"badge": CAPTURE_AGAIN, "cause": PHOTO, "step": ROUND}
REFUSED_PHOTO = {"badge": FACE_REFUSED, "cause": PHOTO}
POOR_PHOTO = {**REFUSED_PHOTO, "step": ROUND}
WRONG_FORM = {"cause": FORM, "step": EMPLOYEE}
NO_ROOM = {"cause": FULL, "step": PEOPLE}
# Nothing was sent to the terminal, until its password, or something else of it, is corrected.
NOT_ASKED = {"badge": NOT_SENT, "cause": ITSELF}
STOPPED = {**NOT_ASKED, "step": TERMINAL}
LOGIN = {**NOT_ASKED, "step": PASSWORD}

IS_FULL = (
    N_("The terminal is full (%(n)s of %(max)s). Remove leavers first."),
    N_("The terminal is full. Remove leavers first."),
)
FILE_LOST = (N_("The terminal lost the picture. Take the photo again."),)
WRONG_PASSWORD = (
    N_("The terminal refused the password. We stopped so as not to lock it. Correct the terminal's password."),
)
AWAY = (
    N_("“%(t)s” does not answer at %(address)s. Check power and network."),
    N_("“%(t)s” does not answer. Check power and network."),
    N_("The terminal does not answer. Check power and network."),
)
HTTPS = (
    N_("“%(t)s” has an http address, and only https is allowed here. Enter its https address."),
    N_("Only https is allowed here. Enter an address that begins with https://."),
)

REFUSALS: dict[str, RefusalType] = {
    # A capture, from its start to its end.
    "terminal_in_use": conflict(
        N_("Terminal in use by %(who)s, about %(n)s s."), N_("The terminal is in use."), icon="clock"
    ),
    "terminal_held": conflict(
        N_("The saved photo of %(saved_name)s (%(who)s) is not on the terminal yet. A new one replaces it there."),
        N_("An unsaved capture of %(name)s (%(who)s) waits here. A new one replaces it."),
        N_("An unsaved capture waits here (%(who)s). A new one replaces it."),
        N_("An unsaved capture waits here. A new one replaces it."),
        icon="snapshot",
    ),
    "cancelled": conflict(N_("Capture cancelled. Nothing was saved."), icon="stop"),
    "superseded": of_capture(
        N_("Another photo was taken there since. Take the employee's photo again."), icon="faces-many", **LOST_PHOTO
    ),
    "no_worker": asked(
        UNAVAILABLE, N_("No worker is running, so no photo can be taken. Tell the administrator."), icon="server"
    ),
    "interrupted": asked(UNAVAILABLE, N_("The capture was interrupted. Try again.")),
    "not_saved": of_capture(
        N_("The picture was not saved in time and is deleted. Take the photo again."), icon="photo-off"
    ),
    "lease_lost": asked(UNAVAILABLE, N_("Another conversation has the terminal now. Try again.")),
    "capture_of_another": of_capture(
        N_("%(who)s took this photo for %(name)s (%(n)s). Save it for the employee in the form all the same?"),
        N_("%(who)s took this photo for ID %(n)s. Save it for the employee in the form all the same?"),
        N_("%(who)s took this photo. Save it for the employee in the form all the same?"),
    ),
    "capture_running": of_capture(
        N_("The capture is still running. Wait for the photo or cancel it, then save."), page=INVALID
    ),
    "too_many_calls": row(
        TOO_MANY,
        N_("At most %(n)s requests to terminals at a time for one operator or program. Wait for an answer first."),
        N_("Too many requests to terminals at a time. Wait for an answer first."),
        retry_after=5,
    ),
    "server_busy": unavailable(
        N_("The server is waiting on as many terminals as it can. Try again in %(n)s s."),
        N_("The server is waiting on as many terminals as it can. Try again in a moment."),
        retry_after=5,
    ),
    "webhook_address_refused": of_address(
        N_("Programs may not be told at this address: use https, or let an administrator allow its network.")
    ),
    "webhooks_enough": of_address(
        N_("There are %(n)s webhooks already. Delete one first."), N_("There are enough webhooks.")
    ),
    "webhook_unknown": not_found(N_("There is no such webhook any more.")),
    "door_off": row(
        HTTPStatus.FORBIDDEN,
        N_("Opening doors from here is switched off, or not for your role. An administrator sets who may."),
    ),
    "passages_off": not_found(N_("The record of passages is switched off here.")),
    "idempotency_key_reused": invalid(
        N_("This Idempotency-Key came with another request before. Use a new one."), field="Idempotency-Key"
    ),
    "idempotency_running": conflict(
        N_("The first request with this Idempotency-Key is not finished yet. Ask again."), retry_after=5
    ),
    "idempotency_answer_gone": conflict(
        N_("This was done already, but its answer is not kept any more. Read what came of it.")
    ),
    "table_not_written": unavailable(
        N_("The file could not be written. Perhaps the server's disk is full; the server's log says why.")
    ),
    "no_space": row(
        HTTPStatus.INSUFFICIENT_STORAGE,
        N_(
            "The server's disk is full (%(place)s), so this could not be done. "
            "Ask the administrator to make room, then try again."
        ),
        N_("The server's disk is full, so this could not be done. Ask the administrator to make room, then try again."),
        icon="server",
    ),
    # Refusals of ours.
    "number_known": conflict(
        N_("Employee ID %(n)s is already used by another employee."),
        N_("This employee ID is already used by another employee."),
        field="hikvision_id",
    ),
    "department_known": of_name(N_("There is a department of this name already: %(name)s.")),
    "department_unknown": not_found(N_("There is no such department any more.")),
    "department_has_people": conflict(N_("The department is not empty. Move its people to another one first.")),
    "department_busy": unavailable(N_("The employees of this department are being changed. Try again in a minute.")),
    "group_unknown": not_found(N_("There is no such group any more.")),
    "group_known": of_name(N_("Another group has this name. Choose another name.")),
    "group_terminal_unknown": invalid(
        N_("There is no terminal with the ID %(n)s, or it is out of service for good."),
        N_("There is no such terminal, or it is out of service for good."),
        field="device_ids",
    ),
    "group_employee_unknown": invalid(
        N_("No employee has the ID %(n)s."), N_("No employee has this ID."), field="added"
    ),
    "unsafe_plan": conflict(
        N_("By this, many people lose access. To confirm, enter how many: %(count)s."),
        N_("By this, many people lose access. To confirm, enter how many."),
        field="confirm",
    ),
    "administrator_needed": row(
        HTTPStatus.FORBIDDEN,
        N_("%(count)s people lose access to %(t)s. Only an administrator may do that."),
        N_("Many people lose access. Only an administrator may do that."),
    ),
    "plan_changed": conflict(N_("This has changed since it was shown. Nothing is done: check it again.")),
    "number_enrolled": conflict(
        N_("Employee ID %(n)s is on the terminal “%(t)s” and cannot be changed."),
        N_("This employee ID is on a terminal and cannot be changed."),
        field="hikvision_id",
    ),
    "number_leaving": conflict(
        N_("Employee ID %(n)s is still being removed from the terminal “%(t)s”. Choose another one or wait."),
        N_("This employee ID is still being removed from a terminal. Choose another one or wait."),
        field="hikvision_id",
    ),
    "name_bytes": invalid(
        N_("The terminal takes %(room)s; the name has %(letters)s."),
        N_("The full name is too long for the terminal. Shorten it."),
        field="full_name",
        **WRONG_FORM,
    ),
    "name_too_long": other(N_("The full name is too long for the terminal. Shorten it."), **WRONG_FORM),
    "cursor_unknown": invalid(N_("The list has no such place. Begin at its first page."), field="after"),
    "employee_unknown": not_found(
        N_("This employee is not there any more. Somebody deleted the record meanwhile."), step=EMPLOYEE
    ),
    "employee_inactive": conflict(N_("This employee is deactivated. Activate the employee first."), step=EMPLOYEE),
    "photo_unreadable": invalid(N_("The photo must be a JPEG, PNG or WebP picture."), field="photo"),
    "photo_draft_gone": conflict(
        N_("This photo is not there any more: it is saved already, or an hour has passed. Choose it again."),
        field="photo",
    ),
    "photo_too_large": invalid(N_("The photo is too large: at most 10 MB."), field="photo"),
    "photo_too_many_pixels": invalid(
        N_("The photo is too large: at most 40 megapixels, a WebP at most 20."), field="photo"
    ),
    "photo_heic": other(
        N_(
            "This is a HEIC file, which terminals do not take. Convert it to JPEG, or choose “Most Compatible” on the "
            "iPhone in Settings → Camera → Formats and take the photo again."
        )
    ),
    "photos_waiting": unavailable(N_("Other photos are being processed. Try again in %(n)s s."), field="photo"),
    # What a photo is like (services/photos/inspection_checks.py).
    "photo_no_face": other(N_("There is no face in the photo. It must show the face from the front.")),
    "photo_several_faces": other(N_("There are %(count)s faces in the photo. One person, please.")),
    "photo_face_small": other(N_("The face is too small: about %(px)s pixels wide, and terminals need %(least)s.")),
    "photo_turned": other(N_("The photo is turned. Turn it by %(degrees)s° clockwise.")),
    "photo_margin": other(N_("The face must be in the middle of the photo, with some room around it.")),
    "photo_small": other(
        N_("The photo is too small: %(width)s × %(height)s pixels. The longer side needs at least %(least)s.")
    ),
    "photo_blurred": other(N_("The photo is not sharp. Take it again with a steady hand, or choose another one.")),
    "photo_dark": other(N_("The photo is too dark. The face needs more light.")),
    "photo_bright": other(N_("The photo is too bright. The face needs softer light.")),
    "other_device": conflict(
        N_("Another device answers at “%(t)s”. The old one may still open doors: remove the person there by hand."),
        N_("Another device answers there. The old one may still open doors: remove the person there by hand."),
        step=BY_HAND,
    ),
    "not_restored": conflict(
        N_("Another device stands at “%(t)s” now. An administrator says on its page whether its people belong there."),
        N_("Another device stands there now. An administrator says on its page whether its people belong there."),
        **NOT_ASKED,
    ),
    "not_compared_since_restore": conflict(
        N_(
            "Nothing is written to “%(t)s” after the restore from a backup. "
            "Compare it; then an administrator allows that on its page."
        ),
        N_(
            "Nothing is written to the terminal after the restore from a backup. "
            "Compare it; then an administrator allows that on its page."
        ),
        **NOT_ASKED,
    ),
    "changed_since_backup": other(
        N_("“%(t)s” and the restored backup differ about this employee. Send the employee again, or deactivate."),
        N_("The terminal and the restored backup differ about this employee. Send the employee again, or deactivate."),
        cause=CHANGED,
    ),
    "terminal_unknown": invalid(
        N_("There is no such terminal, or it is switched off here. Choose another terminal."), field="terminal_id"
    ),
    "terminal_not_named": invalid(
        N_("Several terminals are in use: say which one (device_id). No unsaved capture of this employee tells it."),
        field="terminal_id",
    ),
    "capture_not_named": conflict(
        N_(
            "Several pictures could be meant, and the newest was taken without an ID. Send the photo_path of the right "
            "one, or take the photo again with hikvision_id."
        ),
        field="photo_path",
    ),
    "capture_unknown": invalid(
        N_("There is no capture of yours with this photo_path for this employee."), field="photo_path"
    ),
    "terminal_retired": conflict(
        N_("“%(t)s” is out of service for good: nothing more is sent to it."),
        N_("The terminal is out of service for good: nothing more is sent to it."),
        **NOT_ASKED,
    ),
    "terminal_name_known": of_name(N_("Another terminal has this name. Choose another name.")),
    "terminal_password_needed": invalid(
        N_("The stored password is for the former address and certificate. Enter the terminal's password again."),
        field="password",
    ),
    "terminal_has_people": conflict(
        N_("People are enrolled on this terminal. Remove them first; if it is gone for good, take it out of service.")
    ),
    "enrolment_unknown": conflict(N_("This record is not there any more.")),
    "wish_changed": asked(UNAVAILABLE, N_("The employee's data changed meanwhile. Look again, please.")),
    "not_finished": other(N_("The terminal has not confirmed this, and nothing more is tried.")),
    "no_photo": other(N_("There is no photo yet. Take one at the terminal."), **LACKS_PHOTO),
    "photo_forgotten": conflict(N_("There is no photo any more. Take one at the terminal."), **LOST_PHOTO),
    "files_not_taken": other(
        N_(
            "The photo stays on the server: terminal “%(name)s” takes no files. "
            "To get the face onto it, take a photo there."
        ),
        N_("The photo stays on the server: the terminal takes no files. To get the face onto it, take a photo there."),
        **LACKS_PHOTO,
    ),
    "other_terminal": other(
        N_("The photo was taken at another terminal. Take one at this terminal, too."), **LACKS_PHOTO
    ),
    # A comparison of a terminal, and the plan that follows from it.
    "comparison_unknown": not_found(N_("There is no such comparison any more. Compare again.")),
    "not_compared": conflict(N_("The terminal was not compared yet. Compare it first.")),
    "comparison_failed": bad_gateway(
        N_("The list on the terminal could not be read to its end, so nothing is concluded.")
    ),
    "list_changing": unavailable(N_("The list on the terminal keeps changing while it is read. Compare again later.")),
    "own_number_there": conflict(
        N_("The terminal shows ID %(own)s as %(n)s: this is the employee's own record, so it stays."),
        N_("This is an employee's own record, whose ID the terminal shows otherwise, so it stays."),
    ),
    "list_incomplete": bad_gateway(N_("The terminal does not give its whole list, so nothing is concluded.")),
    "list_too_long": bad_gateway(
        N_("The terminal lists more people or faces than it can hold, so nothing is concluded.")
    ),
    "another_device": bad_gateway(
        N_("Another device answered while the list was read. Check the terminal and compare again.")
    ),
    "comparison_replaced": unavailable(N_("A newer comparison of this terminal was started.")),
    "numbers_unknown": invalid(
        N_("Neither here nor on the terminal: %(numbers)s."), N_("An ID is neither here nor on the terminal.")
    ),
    "face_differs": conflict(
        N_("ID %(n)s has another face on the terminal than here. Look at both faces, and choose for this ID alone."),
        N_("This ID has another face on the terminal than here. Look at both faces, and choose for this ID alone."),
    ),
    "face_not_read": conflict(
        N_("The face of ID %(n)s on the terminal was not read by this comparison. Compare again."),
        N_("The face on the terminal was not read by this comparison. Compare again."),
    ),
    "name_differs": conflict(
        N_("ID %(n)s is “%(there)s” on the terminal and “%(here)s” here. Confirm the choice."),
        N_("This ID has another name on the terminal. Confirm the choice."),
    ),
    "not_there": conflict(N_("ID %(n)s is not on the terminal."), N_("This ID is not on the terminal.")),
    "not_here": conflict(N_("No employee has ID %(n)s."), N_("No employee has this ID.")),
    "number_not_usable": conflict(
        N_("ID %(n)s cannot be used here: Latin letters and digits, up to 32."),
        N_("This ID cannot be used here: Latin letters and digits, up to 32."),
    ),
    "changed_there": conflict(
        N_("ID %(n)s has changed on the terminal since. Compare again."),
        N_("This ID has changed on the terminal since. Compare again."),
    ),
    "nothing_to_take_over": conflict(
        N_("There is nothing to take over from the terminal for ID %(n)s."),
        N_("There is nothing to take over from the terminal for this ID."),
    ),
    "name_not_usable": conflict(
        N_("ID %(n)s has no name on the terminal that an employee can have."),
        N_("This ID has no name on the terminal that an employee can have."),
    ),
    "validity_not_readable": conflict(
        N_("The terminal shows a validity that cannot be read. Set it there anew, then compare again.")
    ),
    "validity_outside": conflict(
        N_("The validity on the terminal is not within 2000 to 2037. Correct it there, then compare again.")
    ),
    "no_whole_day": conflict(
        N_("The validity on the terminal has no whole day. Correct it there, then compare again.")
    ),
    "over_there": conflict(
        N_(
            "The validity on the terminal is over, but the employee is active here. "
            "Send the employee to the terminal, or deactivate the employee."
        )
    ),
    "left_alone": other(N_("Left as it is on the terminal."), cause=LEFT_ALONE),
    "changed_at_terminal": other(
        N_("It was changed at the terminal itself. The next try is %(time)s."),
        N_("It was changed at the terminal itself."),
    ),
    "lost_by_terminal": other(
        N_("The terminal lost all its people. The next try is %(time)s."), N_("The terminal lost all its people.")
    ),
    "clock_not_set": conflict(N_("The terminal said OK, but its clock or time zone is still another one.")),
    "destination_stays": conflict(
        N_("“%(t)s” said OK, but still sends events to %(address)s. Clear this address at the terminal itself."),
        N_("The terminal said OK, but still sends events there. Clear this address at the terminal itself."),
    ),
    "privacy_not_set": conflict(
        N_("“%(t)s” said OK, but not everything is as decided."),
        N_("The terminal said OK, but not everything is as decided."),
    ),
    "validity_over": invalid(N_("The validity is over. Enter a later last day, or none."), field="valid_to"),
    "validity_reversed": invalid(N_("The last day must not be before the first one."), field="valid_to"),
    # Not verified: what the terminal's own answer afterwards does not show.
    "person_not_verified": not_verified(
        N_("The terminal answered, but does not show the person. The next try is %(time)s."),
        N_("The terminal answered, but does not show the person."),
    ),
    "name_not_verified": not_verified(
        N_("The terminal said OK, but this ID has another name there: “%(name)s”. The next try is %(time)s."),
        N_("The terminal said OK, but this ID has another name there: “%(name)s”."),
        N_("The terminal said OK, but this ID has another name there. The next try is %(time)s."),
        N_("The terminal said OK, but this ID has another name there."),
    ),
    "validity_not_verified": not_verified(
        N_("The terminal said OK, but shows another validity. The next try is %(time)s."),
        N_("The terminal said OK, but shows another validity."),
    ),
    "validity_not_shown": asked(
        BAD_GATEWAY,
        N_("The terminal does not show the validity, so it cannot be confirmed. Check it at the terminal itself."),
    ),
    "rights_not_verified": not_verified(
        N_("The terminal said OK, but the person's access rights there are not as before. The next try is %(time)s."),
        N_("The terminal said OK, but the person's access rights there are not as before."),
    ),
    "cards_lost": asked(
        BAD_GATEWAY,
        N_(
            "The terminal deleted the person's cards or fingerprints with this change, perhaps a PIN, too. "
            "Enter them there again, then try again."
        ),
    ),
    "face_not_verified": not_verified(
        N_("The terminal said OK, but does not show the right face. The next try is %(time)s."),
        N_("The terminal said OK, but does not show the right face."),
    ),
    "old_face_stays": asked(
        BAD_GATEWAY,
        N_("The old face is still there and opens doors: the terminal removes no faces. Remove it at the terminal."),
        cause=FACE,
    ),
    "face_not_shown": asked(
        BAD_GATEWAY,
        N_(
            "The terminal does not show whether the right face or an old one is there, and removes no faces. "
            "Remove the face at the terminal, then try again."
        ),
        cause=FACE,
    ),
    "removal_not_verified": not_verified(
        N_("The terminal said OK, but “%(name)s” is still there. The next try is %(time)s."),
        N_("The terminal said OK, but “%(name)s” is still there."),
        N_("The terminal said OK, but the person is still there. The next try is %(time)s."),
        N_("The terminal said OK, but the person is still there."),
    ),
    "face_left": not_verified(
        N_("The terminal removed the person, but keeps the face. The next try is %(time)s."),
        N_("The terminal removed the person, but keeps the face."),
    ),
    "cards_left": not_verified(
        N_("The terminal removed the person, but keeps a card that may open doors. The next try is %(time)s."),
        N_("The terminal removed the person, but keeps a card that may open doors."),
    ),
    "card_number_wrong": invalid(
        N_("A card's number has 1 to 32 Latin letters and digits, as the terminal shows it."), field="number"
    ),
    "cards_not_read_here": row(
        HTTPStatus.NOT_IMPLEMENTED,
        N_("This terminal reads no cards for programs. Type the card, or use a reader that types."),
    ),
    "card_line_wrong": invalid(
        N_("An employee ID and a card are expected, with a semicolon between them."), in_api=False
    ),
    "card_unknown": not_found(N_("There is no such card any more.")),
    "card_taken": conflict(
        N_("Card %(n)s is %(name)s's, ID %(number)s. Take it away there first."),
        N_("This card is somebody's already. Take it away there first."),
        field="number",
    ),
    "card_similar": conflict(
        N_("Card %(n)s is %(name)s's, ID %(number)s, and may be the same card told by another reader."),
        N_("A card of somebody else may be the same one, told by another reader."),
        field="number",
    ),
    "card_taken_there": conflict(
        N_("On the terminal, card %(n)s is that of ID %(number)s. Take it off there, then try again."),
        N_("On the terminal, this card is somebody else's. Take it off there, then try again."),
    ),
    "card_gone_there": conflict(
        N_("Card %(n)s was taken off at the terminal. Try again to give it once more, or take it away here, too."),
        N_("A card was taken off at the terminal. Try again to give it once more, or take it away here, too."),
    ),
    "card_waits": not_verified(
        N_("The card is still that of ID %(number)s on the terminal. The next try is %(time)s."),
        N_("The card is still that of ID %(number)s on the terminal."),
        N_("The card is still somebody else's on the terminal. The next try is %(time)s."),
        N_("The card is still somebody else's on the terminal."),
    ),
    "card_not_verified": not_verified(
        N_("The terminal said OK, but does not show the card. The next try is %(time)s."),
        N_("The terminal said OK, but does not show the card."),
    ),
    "card_not_removed": not_verified(
        N_("The terminal said OK, but a card that was taken away is still there. The next try is %(time)s."),
        N_("The terminal said OK, but a card that was taken away is still there."),
    ),
    "removal_not_shown": not_verified(
        N_(
            "The terminal accepted the removal, but does not show who is there, so it is not confirmed. "
            "The next try is %(time)s."
        ),
        N_("The terminal accepted the removal, but does not show who is there, so it is not confirmed."),
    ),
    "removal_asked_again": not_verified(
        N_(
            "The ID is not on the terminal now. But a request got no answer and may still arrive there, so this is "
            "checked once more. The next try is %(time)s."
        ),
        N_(
            "The ID is not on the terminal now. But a request got no answer and may still arrive there, so this is "
            "checked once more."
        ),
    ),
    "may_still_arrive": conflict(
        N_("A request got no answer and may still arrive at the terminal. Say so again in three minutes.")
    ),
    "holder_not_shown": asked(
        BAD_GATEWAY, N_("The terminal does not show who has this ID there. Remove it all the same?"), step=WHOSE
    ),
    "file_gone": conflict(*FILE_LOST, **LOST_PHOTO),
    # An import: its files.
    "import_unknown": not_found(N_("This import is not there any more.")),
    "nothing_uploaded": of_file(N_("Choose a table, an archive of photos, or both.")),
    "photos_file_too_large": of_photos(
        N_("The archive is too large: at most %(n)s MB. Divide the photos into several archives."),
        N_("The archive is too large. Divide the photos into several archives."),
    ),
    "certificate_uncheckable": conflict(N_("This certificate cannot be checked: the password key of then is lost.")),
    "archive_unreadable": of_photos(
        N_("The photos must be in a ZIP archive, each named by employee ID, such as 100222.jpg, or by full name.")
    ),
    "archive_too_many": of_photos(
        N_("The archive has too many files: at most %(n)s. Divide the photos into several archives."),
        N_("The archive has too many files. Divide the photos into several archives."),
    ),
    "archive_too_large": of_photos(
        N_("The photos in the archive have more than %(n)s MB together. Divide them into several archives."),
        N_("The photos in the archive are too large together. Divide them into several archives."),
    ),
    "archive_encrypted": of_photos(N_("The archive has a password. Make one without a password.")),
    "archive_empty": of_photos(N_("The archive has no photos.")),
    "column_missing": invalid(
        N_("Nobody here has these IDs (%(n)s), and no column has names. Choose the column of the full name."),
        N_("Choose the column for this."),
        step=COLUMNS,
    ),
    "column_twice": invalid(N_("This column is chosen twice. Choose another one.")),
    "column_unknown": invalid(N_("The table has no such column. Choose another one.")),
    "column_unclear": invalid(
        N_("It is not clear what is in %(columns)s. Choose it, or say that the column is not used."),
        N_("It is not clear what is in a column. Choose it, or say that the column is not used."),
        step=COLUMNS,
    ),
    "days_column_unknown": invalid(
        N_("Nobody has said what the days in %(columns)s are. Choose it, or say that the column is not used."),
        N_("Nobody has said what the days in a column are. Choose it, or say that the column is not used."),
        step=COLUMNS,
    ),
    "mapping_unknown": invalid(N_("There are no saved columns with this name."), field="mapping"),
    "mapping_known": of_name(N_("Other saved columns have this name. Choose another name.")),
    "mapping_unfit": invalid(
        N_("The table does not have all of these columns. Missing: %(columns)s."),
        N_("The table does not have all of these columns."),
        field="mapping",
    ),
    "import_checked": conflict(
        N_("This import is checked already. To read the table in another way, go back to its columns.")
    ),
    "import_not_checked": conflict(N_("This import is not checked yet.")),
    "import_started": conflict(N_("This was started already.")),
    "nothing_to_undo": conflict(
        N_("Nothing of this import can be undone: nothing was done, or all is undone already.")
    ),
    "import_file_gone": conflict(N_("The uploaded file is not kept any more. Upload it again.")),
    "wrong_rows_unlike": of_file(
        N_("This is not the file of wrong rows of this import: its columns are others. Download it from this page.")
    ),
    "too_many_corrections": of_file(
        N_("The file has more than %(n)s rows. Correct the table itself and upload it again.")
    ),
    "import_too_large": of_file(
        N_("The rows of this file take more than %(n)s MB here. Split it, or delete the columns that are not needed."),
        N_("The rows of this file take too much room. Split it, or delete the columns that are not needed."),
    ),
    # An import: its rows.
    "text_empty": other(N_("“%(field)s” must not be empty."), N_("This must not be empty.")),
    "text_too_long": other(
        N_("“%(field)s” is too long: at most %(most)s characters."),
        N_("This is too long: at most %(most)s characters."),
        N_("This is too long."),
    ),
    "text_control_characters": other(
        N_("“%(field)s” must not contain control characters."), N_("This must not contain control characters.")
    ),
    "number_invalid": other(
        N_("Enter an ID: Latin letters and digits, up to 32. Perhaps %(meant)s."),
        N_("Enter an ID: Latin letters and digits, up to 32."),
    ),
    "number_unknown": other(N_("No such ID here. Perhaps %(meant)s."), N_("No such ID here.")),
    "number_twice": other(
        N_("The same ID is in other rows, too: %(lines)s."), N_("The same ID is in other rows, too.")
    ),
    "number_without_digits": other(
        N_(
            "All other IDs have digits, so this may be who signed the list. Leave the row out. If this is an employee, "
            "add the employee by hand first."
        )
    ),
    "row_too_long": other(N_("This row is too long to be read.")),
    "row_shifted": other(
        N_(
            "This row has more cells than there are names of columns. Put a text with a separator in quotation marks, "
            "or name the last column."
        )
    ),
    "formula": other(N_("This is a formula. Put its value there.")),
    "left_unreadable": other(N_("Write yes, no, or the day on which the employee left.")),
    "day_unreadable": other(N_("Write a day such as 31.12.2030 without a time, or nothing.")),
    "day_outside": other(N_("Terminals take days from 2000 to 2037 only.")),
    "days_order": other(N_("The last day must not be before the first one.")),
    "department_day": other(
        N_("This is a day. A spreadsheet may have made it of a department such as 1/2: write its name.")
    ),
    "department_left": other(
        N_("This is no department. Say who left in a column such as “Left”, or leave these people out.")
    ),
    "department_archive": other(
        N_(
            "Have these people left? Say so in a column such as “Left”, or leave them out. If this is a department, "
            "add it on the page “Departments” first."
        )
    ),
    "department_ditto": other(
        N_(
            "Write the name of the department: it is not clear from the rows above, and signs for “as above” are not "
            "read."
        )
    ),
    "name_note": other(
        N_(
            "Write the name alone: no position, address, digits or signs, and no note that somebody left or is away, "
            "or that a post is vacant."
        )
    ),
    "letters_broken": other(
        N_(
            "Letters are broken here: a program lacks them, or took the encoding for another one. Write this anew, or "
            "save the file as “CSV UTF-8” or .xlsx where it is right."
        )
    ),
    "status_unclear": other(N_("In a column of a status, write “left” or “works”: anything else is not clear.")),
    "left_contradicts": other(N_("One column says that the employee left, and another one that not.")),
    "employee_known": other(N_("This employee is here already: only new ones are imported.")),
    "employee_new": other(N_("Nobody here has this ID: only employees who are here are changed.")),
    "inactive_here": other(N_("This employee is deactivated here. Activate the employee on the employee's page.")),
    "photo_twice": other(
        N_("There are more photos of this employee: %(others)s."), N_("There are several photos of this employee.")
    ),
    "photo_nobody": other(
        N_("Nobody has the ID that this photo is named by. Perhaps %(meant)s."),
        N_("Nobody has the ID that this photo is named by."),
    ),
    "photo_not_named": other(
        N_(
            "A photo must be a .jpg, .jpeg, .png or .webp file that is named by employee ID, such as 100222.jpg, or by "
            "the full name of somebody in the table or here."
        )
    ),
    "photo_of_namesakes": other(
        N_("Several people have the name of this file. Name it by employee ID, such as %(n)s.jpg."),
        N_("Several people have the name of this file. Name it by employee ID, such as 100222.jpg."),
    ),
    "changed_since": conflict(N_("The employee was changed meanwhile, so nothing was done.")),
    "undo_started": conflict(N_("This was started already.")),
    "nothing_to_take_back": conflict(
        N_("Nobody is left to undo: nobody was taken over, or all of it is undone already.")
    ),
    "leaves_by_take_over": conflict(
        N_("The validity there was over, so the terminal was told to remove this person. That is not undone.")
    ),
    "was_wanted_before": conflict(
        N_("This employee was to be on the terminal before that, too. Correct name and days on the employee's page.")
    ),
    "face_was_replaced": conflict(
        N_("The employee has got the face from the terminal instead of another one. Save the right photo.")
    ),
    "days_shut_out": conflict(
        N_("With the days before that, this employee would lose access. Set them on the employee's page.")
    ),
    "import_row_gone": conflict(N_("The employee's data was deleted, and this row with it.")),
    "import_photo_gone": conflict(N_("The photo is not in the uploaded archive any more. Upload it again.")),
    "face_stays": conflict(
        N_("The photo is on the terminal “%(t)s” already. Save another photo, or delete the employee."),
        N_("The photo is on a terminal already. Save another photo, or delete the employee."),
    ),
    # A table of people.
    "table_unreadable": of_file(
        N_("This is no CSV, XLSX, XLS or ODS file. Save the table as one of these and choose that file.")
    ),
    "table_empty": of_file(N_("The file is empty. Choose the file with the employees.")),
    "table_no_rows": of_file(
        N_("There are no rows below the names of the columns. Choose the file with the employees.")
    ),
    "table_too_large": of_file(
        N_("The file has more than %(n)s MB. Split it, or delete the columns that are not needed."),
        N_("The file is too large. Split it, or delete the columns that are not needed."),
    ),
    "table_columns": of_file(
        N_("The table has more than %(n)s columns. Delete those that are not needed."),
        N_("The table has too many columns. Delete those that are not needed."),
    ),
    "table_rows": of_file(
        N_("The table has more than %(n)s rows. Split it into several files."),
        N_("The table has too many rows. Split it into several files."),
    ),
    "table_html": of_file(
        N_("No table is found in this web page. Open it in Excel, save it as .xlsx and choose that file.")
    ),
    "table_ldif": of_file(
        N_("This is an export of a directory (LDIF). Export the people as CSV and choose that file.")
    ),
    "table_json": of_file(N_("This is a JSON file. Export the people as CSV or .xlsx and choose that file.")),
    "table_vcard": of_file(
        N_("These are contacts (vCard). Export the people as CSV, with their IDs, and choose that file.")
    ),
    "table_archive": of_file(N_("This is an archive (RAR or 7z). Unpack it and choose the table from it.")),
    "table_dbf": of_file(
        N_("This is a dBase table (DBF). Open it in LibreOffice, save it as .xlsx and choose that file.")
    ),
    "table_document": of_file(
        N_("This is a document (PDF, Word or RTF). Export the people as CSV or .xlsx and choose that file.")
    ),
    "table_xlsb": of_file(N_("This is a binary workbook (.xlsb). Save it in Excel as .xlsx and choose that file.")),
    "table_sheets": of_file(
        N_("The file has more than %(n)s sheets. Delete those that are not needed."),
        N_("The file has too many sheets. Delete those that are not needed."),
    ),
    "table_sheet_unknown": invalid(N_("The file has no such sheet. Choose another one."), field="sheet"),
    "table_sheet_unnamed": invalid(
        N_("Several sheets have people: %(sheets)s. Name the one to read, or * for all with the same columns."),
        N_("Several sheets have people. Name the one to read, or * for all with the same columns."),
        field="sheet",
    ),
    "table_password": of_file(N_("The file is protected by a password. Save it without one and choose that file.")),
    "table_macros": of_file(N_("The file has macros. Save it as .xlsx, without macros, and choose that file.")),
    "table_damaged": of_file(
        N_("The file is damaged. Open it in Excel or LibreOffice, save it again as .xlsx and choose that file.")
    ),
    "table_unpacked": of_file(
        N_("Unpacked, the file is far too large. Copy the table into a new workbook and choose that file.")
    ),
    "table_encoding": of_file(
        N_("The letters of the file are in an unknown encoding. Save it as “CSV UTF-8” or .xlsx and choose that file.")
    ),
    "table_quote": of_file(
        N_(
            "In row %(line)s a quotation mark is opened and never closed. Correct that row, or save the table as .xlsx."
        ),
        N_("A quotation mark is opened and never closed. Correct that row, or save the table as .xlsx."),
    ),
    "table_side_by_side": of_file(
        N_(
            "“%(column)s” is there twice: rows have two people side by side. Put each person into a row of its own, or "
            "say that the columns of the second one are not used."
        ),
        N_(
            "Rows have two people side by side. Put each person into a row of its own, or say that the columns of the "
            "second one are not used."
        ),
    ),
    "table_second_head": of_file(
        N_(
            "In row %(line)s another table begins, with its columns in another order. Put each table into a file or a "
            "sheet of its own."
        ),
        N_("Another table begins below, with its columns in another order. Put each table into a file of its own."),
    ),
    "table_leavers": of_file(
        N_(
            "Below row %(line)s are those who left, and no column says so. Delete these rows, or write into a column "
            "“Left” who did."
        ),
        N_(
            "Those who left have a part of the table, and no column says so. Delete these rows, or write into a column "
            "“Left” who did."
        ),
    ),
    "table_cut": of_file(
        N_(
            "Row %(line)s, the last one, breaks off: the file is not complete. Choose it again once it is. A program "
            "that writes it should rename it when complete."
        ),
        N_(
            "The last row breaks off: the file is not complete. Choose it again once it is. A program that writes it "
            "should rename it when complete."
        ),
    ),
    "table_perhaps_cut": of_file(
        N_(
            "Row %(line)s, the last one, is shorter at its end than the others, and its line does not end: perhaps the "
            "file is not complete. Choose it again once it is. If nothing is missing, press Enter behind that row in a "
            "text editor, and save it."
        ),
        N_(
            "The last row is shorter at its end than the others, and its line does not end: perhaps the file is not "
            "complete. Choose it again once it is. If nothing is missing, press Enter behind that row in a text "
            "editor, and save it."
        ),
    ),
    "table_slow": of_file(
        N_("Reading the table took too long. Copy the columns that are needed to a new workbook and choose that file.")
    ),
    "tables_waiting": unavailable(
        N_("The server is reading other files just now. Try again in %(n)s s."),
        N_("The server is reading other files just now. Try again in a moment."),
        field="file",
    ),
    # Who may come in.
    "too_often": row(
        TOO_MANY,
        N_("Too many tries. Wait %(n)s s and try again."),
        N_("Too many tries. Wait a while and try again."),
        in_api=False,
    ),
    "passwords_busy": row(
        UNAVAILABLE,
        N_("The server has too many passwords to check just now. Wait %(n)s s and try again."),
        N_("The server has too many passwords to check just now. Try again in a moment."),
        in_api=False,
    ),
    "sign_in_refused": of_password(N_("The name or the password is wrong.")),
    "sign_in_refused_or_away": of_password(
        N_("The name or the password is wrong, or the company's directory does not answer just now.")
    ),
    "directory_away": row(
        UNAVAILABLE, N_("The company's directory does not answer just now. Try again in half a minute."), in_api=False
    ),
    "directory_decides": signing_in(
        N_("The company's directory has the password and the role of this operator. Change them there."), field="role"
    ),
    "password_wrong": of_password(N_("The password is wrong.")),
    "password_short": of_password(
        N_("The password is too short: at least %(n)s characters."), N_("The password is too short.")
    ),
    "password_long": of_password(
        N_("The password is too long: at most %(n)s characters."), N_("The password is too long.")
    ),
    "password_common": of_password(
        N_("This password is too easy to guess. Take several words that do not belong together.")
    ),
    "operator_name_known": signing_in(N_("Another operator has this name. Choose another name."), field="name"),
    "name_reserved": signing_in(
        N_("The audit trail has a program under this name. Choose another name."), field="name"
    ),
    "operator_unknown": signing_in(N_("There is no operator “%(name)s”."), N_("There is no such operator any more.")),
    "operators_exist": signing_in(N_("There is an administrator already. Sign in.")),
    "last_administrator": signing_in(
        N_("Nobody would be left to administer. Make somebody else an administrator first."), field="role"
    ),
    "factor_code_wrong": signing_in(N_("The code is wrong, or was used already. Wait for the next one."), field="code"),
    "factor_missing": signing_in(N_("There is no second factor.")),
    "factor_required": signing_in(N_("Your role must sign in with a second factor, so it is not switched off.")),
    "mail_account_refused": bad_gateway(
        N_(
            "The mail server refuses the program's account (%(text)s). Correct HIKFLASK_MAIL_USER and "
            "HIKFLASK_MAIL_PASSWORD."
        ),
        N_("The mail server refuses the program's account. Correct HIKFLASK_MAIL_USER and HIKFLASK_MAIL_PASSWORD."),
    ),
    "mail_receivers_refused": bad_gateway(
        N_("The mail server takes no mail for %(text)s. Correct these addresses."),
        N_("The mail server takes no mail for some of the addresses."),
    ),
    "mail_refused": bad_gateway(N_("The mail server took no mail: %(text)s."), N_("The mail server took no mail.")),
    "mail_server_away": bad_gateway(
        N_(
            "The mail server %(address)s does not let the program in (%(text)s). Correct HIKFLASK_MAIL_SERVER, "
            "HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this machine reach it."
        ),
        N_("The mail server does not let the program in."),
    ),
    "setting_unknown": not_found(N_("There is no such setting.")),
    "setting_fixed": of_setting(N_("This setting is fixed in the environment of the machine. Change it there.")),
    "setting_refused": of_setting(N_("“%(setting)s” must be %(allowed)s."), N_("This value is not allowed.")),
    "setting_long": of_setting(
        N_("“%(setting)s” is too long: at most %(n)s characters, with a comma and a space between addresses."),
        N_("This value is too long."),
    ),
    "audit_retention_short": of_setting(
        N_("The database itself keeps entries of the audit trail for %(n)s days. Enter so many days or more."),
        N_("The database itself keeps entries of the audit trail for longer. Enter more days."),
    ),
    "settings_contradict": of_setting(
        N_("“%(longer)s” must not be less than “%(shorter)s”, which is %(limit)s s: it would go too early."),
        N_("Two settings contradict each other."),
    ),
    "push_address_missing": of_setting(
        N_("While terminals tell by themselves, “%(shorter)s” must be set."),
        N_("While terminals tell by themselves, their way to this server must be set."),
    ),
    "token_name_known": signing_in(N_("Another token has this name. Choose another name."), field="name"),
    "token_end_unusable": signing_in(N_("“Valid until” must be a day within the next ten years."), field="expires_on"),
    "token_unknown": signing_in(N_("There is no token “%(name)s”."), N_("There is no such token any more.")),
    "code_wrong": signing_in(N_("The code is wrong. The server's log shows the right one."), field="code"),
    "consent_missing": conflict(
        N_("There is no consent to take this photo yet. Record the consent first."), field="consent", icon="consent"
    ),
    # Refusals of a terminal, by its own code.
    "capturetimeout": asked(
        TIMEOUT,
        N_("No face seen in %(n)s s. Come closer (about 60 cm), face the light, try again."),
        N_("The terminal saw no face. Try again closer."),
        icon="person-off",
    ),
    "capture_unanswered": asked(
        TIMEOUT,
        N_("“%(t)s” answered nothing in %(n)s s: it saw no face, or it stopped answering. Check it, then come closer."),
        N_("The terminal answered nothing: it saw no face, or it stopped answering. Check it, then come closer."),
        icon="wifi-off",
    ),
    "unusable_picture": other(N_("The picture is not usable. Take the photo again."), icon="photo-off"),
    "devicebusy": other(
        N_("The terminal is busy. Trying again in %(n)s s."),
        N_("The terminal is busy. Try again in a moment."),
        icon="clock",
    ),
    "notsupport": other(N_("This model cannot take photos on request.")),
    "function_not_supported": other(
        N_("The terminal does not support: %(function)s."),
        N_("The terminal does not support this function."),
        **LACKS_PHOTO,
    ),
    "nofaceinpicture": other(N_("No face in the picture."), icon="person-off", **POOR_PHOTO),
    "multiplefaceobjecterror": other(N_("More than one face. One person, please."), icon="faces-many", **POOR_PHOTO),
    "picsizesmallerror": other(N_("The face is too small. Come closer."), icon="face-small", **POOR_PHOTO),
    "poorfacequality": other(N_("Poor quality: more light, no mask, no dark glasses."), icon="light", **POOR_PHOTO),
    "modelingfailed": other(N_("The terminal could not model this face. Take the photo again."), **POOR_PHOTO),
    "picsizeexceederror": other(N_("The file is too large for the terminal."), **REFUSED_PHOTO),
    "employeenoalreadyexist": conflict(
        N_("ID %(n)s is taken there by %(name)s. Replace it or choose another ID?"),
        N_("ID %(n)s is taken there by somebody else. Replace it or choose another ID?"),
        N_("This ID is taken there by somebody else. Replace it or choose another ID?"),
        cause=TAKEN,
        step=WHOSE,
    ),
    "employeenonotexist": other(N_("The terminal does not know this ID.")),
    "illegalemployeeno": other(N_("The terminal refuses this ID: Latin letters and digits, up to 32."), **WRONG_FORM),
    "deviceuserfull": other(*IS_FULL, **NO_ROOM),
    "devicefacefull": other(*IS_FULL, **NO_ROOM),
    "cardnoalreadyexist": other(N_("Somebody has this card on the terminal already.")),
    "devicecardfull": other(N_("The terminal has no room for another card.")),
    "cardfullperuser": other(
        N_("The terminal takes no more cards for one person. Remove one of the employee's cards first.")
    ),
    "supportonemorecard": other(
        N_("The terminal takes one card for each person. Remove the employee's other card first.")
    ),
    "illegalcardno": other(N_("The terminal refuses this card. Check its digits.")),
    "cardreaderoffline": other(N_("The terminal's card reader does not answer. Check the reader.")),
    "card_timeout": asked(
        TIMEOUT, N_("No card was held to the terminal. Try again and hold it to the reader."), icon="clock"
    ),
    "deviceuseralreadyexistface": other(
        N_("The terminal has a face of this person already and does not replace it. Remove it there, then try again."),
        **POOR_PHOTO,
    ),
    "alreadyexistthisface": other(
        N_("This face is already there under another ID. Perhaps enrolled twice: %(name)s."),
        N_("This face is already there under another ID. Perhaps enrolled twice."),
        step=EMPLOYEE,
        **REFUSED_PHOTO,
    ),
    "urldownloadfail": other(*FILE_LOST, **LOST_PHOTO),
    "gone": other(*FILE_LOST, **LOST_PHOTO),
    "wrong_password": asked(BAD_GATEWAY, *WRONG_PASSWORD, icon="key", **LOGIN),
    "login_refused": other(*WRONG_PASSWORD, icon="key", **LOGIN),
    "locked": asked(
        BAD_GATEWAY,
        N_("The account there is locked for %(n)s more min."),
        N_("The account there is locked."),
        icon="lock",
        **LOGIN,
    ),
    "lowprivilege": other(N_("The terminal's account lacks the right for this."), cause=ITSELF),
    "rebootrequired": other(N_("This takes effect when the terminal restarts. Restart it, then press “Check”.")),
    "remotedoorfunctiondisable": other(
        N_("The terminal does not let its door be opened over the network. Allow that at the terminal itself.")
    ),
    "notactivated": other(N_("The terminal is not activated yet.")),
    "unreachable": asked(UNAVAILABLE, *AWAY, icon="wifi-off"),
    "no_answer": asked(UNAVAILABLE, *AWAY, icon="wifi-off"),
    "address_refused": asked(
        BAD_GATEWAY,
        N_(
            "The address of “%(t)s” is in no network of %(setting)s: %(address)s. Correct it, or add its network there."
        ),
        N_("This address is not in a network of %(setting)s. Correct it, or add its network there."),
        N_(
            "The address of “%(t)s” is not allowed: %(address)s. Correct it, or let an administrator allow its network."
        ),
        N_("This address is not allowed. Correct it, or let an administrator allow its network."),
        setting="HIKFLASK_TERMINAL_NETWORKS",
        **STOPPED,
    ),
    "terminal_address_refused": of_address(
        N_("This address is not in a network of %(setting)s. Correct it, or add its network there."),
        N_("No terminal may have this address. Correct it."),
    ),
    "https_required": asked(BAD_GATEWAY, *HTTPS, **STOPPED),
    "terminal_https_required": of_address(*HTTPS),
    "weak_digest": asked(
        BAD_GATEWAY,
        N_(
            "“%(t)s” offers a login with MD5 only, and SHA-256 is required here, so the password was not sent. "
            "Switch SHA-256 on at the terminal, then press “Check”."
        ),
        N_(
            "The terminal offers a login with MD5 only, and SHA-256 is required here, so the password was not sent. "
            "Switch SHA-256 on at the terminal, then press “Check”."
        ),
        **STOPPED,
    ),
    "certificate_changed": asked(
        BAD_GATEWAY,
        N_("“%(t)s” shows another certificate. If it was replaced, an administrator must confirm it."),
        N_("The terminal shows another certificate. If it was replaced, an administrator must confirm it."),
        **STOPPED,
    ),
    "nonsense": other(
        N_("“%(t)s” gives an answer that makes no sense. Check the address."),
        N_("The terminal gives an answer that makes no sense. Check the address."),
    ),
    "refused": other(
        N_("The terminal refused: %(text)s (%(code)s)."), N_("The terminal refused (%(code)s)."), **REFUSED_PHOTO
    ),
}
UNKNOWN = REFUSALS["refused"]
# Other words of terminals for the same.
REFUSALS |= {
    code: replace(REFUSALS[kind.own_code], status=None, page=None)
    for code, kind in CLASSES.items()
    if code not in REFUSALS and not issubclass(kind, OWN_CODE_COUNTS)
}


def type_of(code: str) -> RefusalType:
    """Return what a code means; of one that nobody knows, that the terminal refused."""
    return REFUSALS.get(code, UNKNOWN)


def codes(**facts: str) -> tuple[str, ...]:
    """Return the codes whose rows have these facts."""
    return tuple(code for code, row in REFUSALS.items() if facts.items() <= vars(row).items())


# Removals are always retried, but these also wait for a person's decision.
DECISIONS = (*codes(step=WHOSE), *codes(step=BY_HAND))
