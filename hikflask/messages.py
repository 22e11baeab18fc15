"""The sentence for each code, in both languages; the only place where a code becomes a sentence.

A code is one of services/core/errors.py or isapi/errors.py, or a state. Each has several variants: the first
one whose names are all given is used.
"""

import re
from typing import Any

from flask_babel import force_locale, gettext, ngettext

from hikflask import text_rules
from hikflask.isapi.errors import TerminalError
from hikflask.models.refusal import Refusal
from hikflask.services.core.errors import ServiceError, refusal_of

NAMES = re.compile(r"%\((\w+)\)s")


def N_(text: str) -> str:  # noqa: N802 - the name that Babel looks for
    """Mark a text for translation; gettext translates it when it is used."""
    return text


IN_USE = (N_("Terminal in use by %(who)s, about %(n)s s."), N_("The terminal is in use."))
NOBODY_CAME = (
    N_("No face seen in %(n)s s. Come closer (about 60 cm), face the light, try again."),
    N_("The terminal saw no face. Try again closer."),
)
UNANSWERED = (
    N_("“%(t)s” answered nothing in %(n)s s: it saw no face, or it stopped answering. Check it, then come closer."),
    N_("The terminal answered nothing: it saw no face, or it stopped answering. Check it, then come closer."),
)
BUSY = (N_("The terminal is busy. Trying again in %(n)s s."), N_("The terminal is busy. Try again in a moment."))
NO_FACE = (N_("No face in the picture."),)
SMALL_FACE = (N_("The face is too small. Come closer."),)
POOR_QUALITY = (N_("Poor quality: more light, no mask, no dark glasses."),)
MODELING = (N_("The terminal could not model this face. Take the photo again."),)
FILE_TOO_LARGE = (N_("The file is too large for the terminal."),)
NUMBER_TAKEN = (
    N_("ID %(n)s is taken there by %(name)s. Replace it or choose another ID?"),
    N_("ID %(n)s is taken there by somebody else. Replace it or choose another ID?"),
    N_("This ID is taken there by somebody else. Replace it or choose another ID?"),
)
ILLEGAL_NUMBER = (N_("The terminal refuses this ID: Latin letters and digits, up to 32."),)
FULL = (
    N_("The terminal is full (%(n)s of %(max)s). Remove leavers first."),
    N_("The terminal is full. Remove leavers first."),
)
FILE_LOST = (N_("The terminal lost the picture. Take the photo again."),)
PASSWORD = (N_("The terminal refused the password. We stopped so as not to lock it. Correct the terminal's password."),)
NO_CAPTURE = (N_("This model cannot take photos on request."),)
AWAY = (
    N_("“%(t)s” does not answer at %(address)s. Check power and network."),
    N_("“%(t)s” does not answer. Check power and network."),
    N_("The terminal does not answer. Check power and network."),
)
ADDRESS = (
    N_("The address of “%(t)s” is in no network of %(setting)s: %(address)s. Correct it, or add its network there."),
    N_("This address is not in a network of %(setting)s. Correct it, or add its network there."),
    N_("The address of “%(t)s” is not allowed: %(address)s. Correct it, or let an administrator allow its network."),
    N_("This address is not allowed. Correct it, or let an administrator allow its network."),
)
HTTPS = (
    N_("“%(t)s” has an http address, and only https is allowed here. Enter its https address."),
    N_("Only https is allowed here. Enter an address that begins with https://."),
)
SUPERSEDED = (N_("Another photo was taken there since. Take the employee's photo again."),)
NOT_THERE = (N_("The terminal does not know this ID."),)
REFUSED = (
    N_("The terminal refused: %(text)s (%(code)s)."),
    N_("The terminal refused (%(code)s)."),
)

# The setting that may be the cause of a refusal.
SETTINGS = {"address_refused": "HIKFLASK_TERMINAL_NETWORKS"}
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
    "terminal_in_use": IN_USE,
    "terminal_held": (
        N_("The saved photo of %(saved_name)s (%(who)s) is not on the terminal yet. A new one replaces it there."),
        N_("An unsaved capture of %(name)s (%(who)s) waits here. A new one replaces it."),
        N_("An unsaved capture waits here (%(who)s). A new one replaces it."),
        N_("An unsaved capture waits here. A new one replaces it."),
    ),
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
    "cancelled": (N_("Capture cancelled. Nothing was saved."),),
    "retake_cancelled": (N_("Retake cancelled. The earlier photo stays."),),
    "earlier_stays": (N_("The earlier photo stays."),),
    "superseded": SUPERSEDED,
    "failed": (N_("The capture failed. Try again."),),
    "no_worker": (N_("No worker is running, so no photo can be taken. Tell the administrator."),),
    "interrupted": (N_("The capture was interrupted. Try again."),),
    "not_saved": (N_("The picture was not saved in time and is deleted. Take the photo again."),),
    "lease_lost": (N_("Another conversation has the terminal now. Try again."),),
    "capture_of_another": (
        N_("%(who)s took this photo for %(name)s (%(n)s). Save it for the employee in the form all the same?"),
        N_("%(who)s took this photo for ID %(n)s. Save it for the employee in the form all the same?"),
        N_("%(who)s took this photo. Save it for the employee in the form all the same?"),
    ),
    "capture_running": (N_("The capture is still running. Wait for the photo or cancel it, then save."),),
    "too_many_calls": (
        N_("At most %(n)s requests to terminals at a time for one operator or program. Wait for an answer first."),
        N_("Too many requests to terminals at a time. Wait for an answer first."),
    ),
    "server_busy": (
        N_("The server is waiting on as many terminals as it can. Try again in %(n)s s."),
        N_("The server is waiting on as many terminals as it can. Try again in a moment."),
    ),
    "webhook_address_refused": (
        N_("Programs may not be told at this address: use https, or let an administrator allow its network."),
    ),
    "webhooks_enough": (N_("There are %(n)s webhooks already. Delete one first."), N_("There are enough webhooks.")),
    "webhook_unknown": (N_("There is no such webhook any more."),),
    "passages_off": (N_("The record of passages is switched off here."),),
    "idempotency_key_reused": (N_("This Idempotency-Key came with another request before. Use a new one."),),
    "idempotency_running": (N_("The first request with this Idempotency-Key is not finished yet. Ask again."),),
    "idempotency_answer_gone": (
        N_("This was done already, but its answer is not kept any more. Read what came of it."),
    ),
    "table_not_written": (
        N_("The file could not be written. Perhaps the server's disk is full; the server's log says why."),
    ),
    "no_space": (
        N_(
            "The server's disk is full (%(place)s), so this could not be done. "
            "Ask the administrator to make room, then try again."
        ),
        N_("The server's disk is full, so this could not be done. Ask the administrator to make room, then try again."),
    ),
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
    # Refusals of ours.
    "number_known": (
        N_("Employee ID %(n)s is already used by another employee."),
        N_("This employee ID is already used by another employee."),
    ),
    "department_known": (N_("There is a department of this name already: %(name)s."),),
    "department_unknown": (N_("There is no such department any more."),),
    "department_has_people": (N_("The department is not empty. Move its people to another one first."),),
    "department_busy": (N_("The employees of this department are being changed. Try again in a minute."),),
    "group_unknown": (N_("There is no such group any more."),),
    "group_known": (N_("Another group has this name. Choose another name."),),
    "group_terminal_unknown": (
        N_("There is no terminal with the ID %(n)s, or it is out of service for good."),
        N_("There is no such terminal, or it is out of service for good."),
    ),
    "group_employee_unknown": (N_("No employee has the ID %(n)s."), N_("No employee has this ID.")),
    "unsafe_plan": (
        N_("By this, many people lose access. To confirm, enter how many: %(count)s."),
        N_("By this, many people lose access. To confirm, enter how many."),
    ),
    "administrator_needed": (
        N_("%(count)s people lose access to %(t)s. Only an administrator may do that."),
        N_("Many people lose access. Only an administrator may do that."),
    ),
    "plan_changed": (N_("This has changed since it was shown. Nothing is done: check it again."),),
    "number_enrolled": (
        N_("Employee ID %(n)s is on the terminal “%(t)s” and cannot be changed."),
        N_("This employee ID is on a terminal and cannot be changed."),
    ),
    "number_leaving": (
        N_("Employee ID %(n)s is still being removed from the terminal “%(t)s”. Choose another one or wait."),
        N_("This employee ID is still being removed from a terminal. Choose another one or wait."),
    ),
    "name_bytes": (
        N_("The terminal takes %(room)s; the name has %(letters)s."),
        N_("The full name is too long for the terminal. Shorten it."),
    ),
    "name_too_long": (N_("The full name is too long for the terminal. Shorten it."),),
    "cursor_unknown": (N_("The list has no such place. Begin at its first page."),),
    "employee_unknown": (N_("This employee is not there any more. Somebody deleted the record meanwhile."),),
    "employee_inactive": (N_("This employee is deactivated. Activate the employee first."),),
    "photo_unreadable": (N_("The photo must be a JPEG, PNG or WebP picture."),),
    "photo_draft_gone": (
        N_("This photo is not there any more: it is saved already, or an hour has passed. Choose it again."),
    ),
    "photo_too_large": (N_("The photo is too large: at most 10 MB."),),
    "photo_too_many_pixels": (N_("The photo is too large: at most 40 megapixels, a WebP at most 20."),),
    "photo_heic": (
        N_(
            "This is a HEIC file, which terminals do not take. Convert it to JPEG, or choose “Most Compatible” on the "
            "iPhone in Settings → Camera → Formats and take the photo again."
        ),
    ),
    "photos_waiting": (N_("Other photos are being processed. Try again in %(n)s s."),),
    # What a photo is like (services/photos/inspection_checks.py).
    "photo_no_face": (N_("There is no face in the photo. It must show the face from the front."),),
    "photo_several_faces": (N_("There are %(count)s faces in the photo. One person, please."),),
    "photo_face_small": (N_("The face is too small: about %(px)s pixels wide, and terminals need %(least)s."),),
    "photo_turned": (N_("The photo is turned. Turn it by %(degrees)s° clockwise."),),
    "photo_margin": (N_("The face must be in the middle of the photo, with some room around it."),),
    "photo_small": (
        N_("The photo is too small: %(width)s × %(height)s pixels. The longer side needs at least %(least)s."),
    ),
    "photo_blurred": (N_("The photo is not sharp. Take it again with a steady hand, or choose another one."),),
    "photo_dark": (N_("The photo is too dark. The face needs more light."),),
    "photo_bright": (N_("The photo is too bright. The face needs softer light."),),
    "photo_face_unchecked": (
        N_("The face was not looked for: face detection is not set up here. Only size, sharpness and light are known."),
    ),
    "other_device": (
        N_("Another device answers at “%(t)s”. The old one may still open doors: remove the person there by hand."),
        N_("Another device answers there. The old one may still open doors: remove the person there by hand."),
    ),
    "not_restored": (
        N_("Another device stands at “%(t)s” now. An administrator says on its page whether its people belong there."),
        N_("Another device stands there now. An administrator says on its page whether its people belong there."),
    ),
    "not_compared_since_restore": (
        N_(
            "Nothing is written to “%(t)s” after the restore from a backup. "
            "Compare it; then an administrator allows that on its page."
        ),
        N_(
            "Nothing is written to the terminal after the restore from a backup. "
            "Compare it; then an administrator allows that on its page."
        ),
    ),
    "changed_since_backup": (
        N_("“%(t)s” and the restored backup differ about this employee. Send the employee again, or deactivate."),
        N_("The terminal and the restored backup differ about this employee. Send the employee again, or deactivate."),
    ),
    "not_checked": (
        N_("The way to “%(t)s” was changed and it has not answered since. Check it."),
        N_("The way to the terminal was changed and it has not answered since. Check it."),
    ),
    "terminal_unknown": (N_("There is no such terminal, or it is switched off here. Choose another terminal."),),
    "terminal_not_named": (
        N_("Several terminals are in use: say which one (device_id). No unsaved capture of this employee tells it."),
    ),
    "capture_not_named": (
        N_(
            "Several pictures could be meant, and the newest was taken without an ID. Send the photo_path of the right "
            "one, or take the photo again with hikvision_id."
        ),
    ),
    "capture_unknown": (N_("There is no capture of yours with this photo_path for this employee."),),
    "terminal_retired": (
        N_("“%(t)s” is out of service for good: nothing more is sent to it."),
        N_("The terminal is out of service for good: nothing more is sent to it."),
    ),
    "terminal_name_known": (N_("Another terminal has this name. Choose another name."),),
    "terminal_password_needed": (
        N_("The stored password is for the former address and certificate. Enter the terminal's password again."),
    ),
    "terminal_has_people": (
        N_("People are enrolled on this terminal. Remove them first; if it is gone for good, take it out of service."),
    ),
    "enrolment_unknown": (N_("This record is not there any more."),),
    "wish_changed": (N_("The employee's data changed meanwhile. Look again, please."),),
    "not_finished": (N_("The terminal has not confirmed this, and nothing more is tried."),),
    "no_photo": (N_("There is no photo yet. Take one at the terminal."),),
    "photo_forgotten": (N_("There is no photo any more. Take one at the terminal."),),
    "files_not_taken": (
        N_(
            "The photo stays on the server: terminal “%(name)s” takes no files. "
            "To get the face onto it, take a photo there."
        ),
        N_("The photo stays on the server: the terminal takes no files. To get the face onto it, take a photo there."),
    ),
    "files_unknown": (
        N_(
            "It is not known yet whether terminal “%(name)s” accepts photo files. "
            "If it does not, the photo stays on the server."
        ),
    ),
    "other_terminal": (N_("The photo was taken at another terminal. Take one at this terminal, too."),),
    # A comparison of a terminal, and the plan that follows from it.
    "comparison_unknown": (N_("There is no such comparison any more. Compare again."),),
    "not_compared": (N_("The terminal was not compared yet. Compare it first."),),
    "comparison_failed": (N_("The list on the terminal could not be read to its end, so nothing is concluded."),),
    "list_changing": (N_("The list on the terminal keeps changing while it is read. Compare again later."),),
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
    "own_number_there": (
        N_("The terminal shows ID %(own)s as %(n)s: this is the employee's own record, so it stays."),
        N_("This is an employee's own record, whose ID the terminal shows otherwise, so it stays."),
    ),
    "list_incomplete": (N_("The terminal does not give its whole list, so nothing is concluded."),),
    "list_too_long": (N_("The terminal lists more people or faces than it can hold, so nothing is concluded."),),
    "another_device": (N_("Another device answered while the list was read. Check the terminal and compare again."),),
    "comparison_replaced": (N_("A newer comparison of this terminal was started."),),
    "numbers_unknown": (
        N_("Neither here nor on the terminal: %(numbers)s."),
        N_("An ID is neither here nor on the terminal."),
    ),
    "face_differs": (
        N_("ID %(n)s has another face on the terminal than here. Look at both faces, and choose for this ID alone."),
        N_("This ID has another face on the terminal than here. Look at both faces, and choose for this ID alone."),
    ),
    "face_not_read": (
        N_("The face of ID %(n)s on the terminal was not read by this comparison. Compare again."),
        N_("The face on the terminal was not read by this comparison. Compare again."),
    ),
    "name_differs": (
        N_("ID %(n)s is “%(there)s” on the terminal and “%(here)s” here. Confirm the choice."),
        N_("This ID has another name on the terminal. Confirm the choice."),
    ),
    "not_there": (N_("ID %(n)s is not on the terminal."), N_("This ID is not on the terminal.")),
    "not_here": (N_("No employee has ID %(n)s."), N_("No employee has this ID.")),
    "number_not_usable": (
        N_("ID %(n)s cannot be used here: Latin letters and digits, up to 32."),
        N_("This ID cannot be used here: Latin letters and digits, up to 32."),
    ),
    "changed_there": (
        N_("ID %(n)s has changed on the terminal since. Compare again."),
        N_("This ID has changed on the terminal since. Compare again."),
    ),
    "nothing_to_take_over": (
        N_("There is nothing to take over from the terminal for ID %(n)s."),
        N_("There is nothing to take over from the terminal for this ID."),
    ),
    "name_not_usable": (
        N_("ID %(n)s has no name on the terminal that an employee can have."),
        N_("This ID has no name on the terminal that an employee can have."),
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
    "validity_not_readable": (
        N_("The terminal shows a validity that cannot be read. Set it there anew, then compare again."),
    ),
    "validity_outside": (
        N_("The validity on the terminal is not within 2000 to 2037. Correct it there, then compare again."),
    ),
    "no_whole_day": (N_("The validity on the terminal has no whole day. Correct it there, then compare again."),),
    "over_there": (
        N_(
            "The validity on the terminal is over, but the employee is active here. "
            "Send the employee to the terminal, or deactivate the employee."
        ),
    ),
    "left_alone": (N_("Left as it is on the terminal."),),
    "changed_at_terminal": (
        N_("It was changed at the terminal itself. The next try is %(time)s."),
        N_("It was changed at the terminal itself."),
    ),
    "lost_by_terminal": (
        N_("The terminal lost all its people. The next try is %(time)s."),
        N_("The terminal lost all its people."),
    ),
    "clock_not_set": (N_("The terminal said OK, but its clock or time zone is still another one."),),
    "destination_stays": (
        N_("“%(t)s” said OK, but still sends events to %(address)s. Clear this address at the terminal itself."),
        N_("The terminal said OK, but still sends events there. Clear this address at the terminal itself."),
    ),
    "privacy_not_set": (
        N_("“%(t)s” said OK, but not everything is as decided."),
        N_("The terminal said OK, but not everything is as decided."),
    ),
    "validity_over": (N_("The validity is over. Enter a later last day, or none."),),
    "validity_reversed": (N_("The last day must not be before the first one."),),
    # Not verified: what the terminal's own answer afterwards does not show.
    "person_not_verified": (
        N_("The terminal answered, but does not show the person. The next try is %(time)s."),
        N_("The terminal answered, but does not show the person."),
    ),
    "name_not_verified": (
        N_("The terminal said OK, but this ID has another name there: “%(name)s”. The next try is %(time)s."),
        N_("The terminal said OK, but this ID has another name there: “%(name)s”."),
        N_("The terminal said OK, but this ID has another name there. The next try is %(time)s."),
        N_("The terminal said OK, but this ID has another name there."),
    ),
    "validity_not_verified": (
        N_("The terminal said OK, but shows another validity. The next try is %(time)s."),
        N_("The terminal said OK, but shows another validity."),
    ),
    "validity_not_shown": (
        N_("The terminal does not show the validity, so it cannot be confirmed. Check it at the terminal itself."),
    ),
    "rights_not_verified": (
        N_("The terminal said OK, but the person's access rights there are not as before. The next try is %(time)s."),
        N_("The terminal said OK, but the person's access rights there are not as before."),
    ),
    "face_not_verified": (
        N_("The terminal said OK, but does not show the right face. The next try is %(time)s."),
        N_("The terminal said OK, but does not show the right face."),
    ),
    "old_face_stays": (
        N_("The old face is still there and opens doors: the terminal removes no faces. Remove it at the terminal."),
    ),
    "face_not_shown": (
        N_(
            "The terminal does not show whether the right face or an old one is there, and removes no faces. "
            "Remove the face at the terminal, then try again."
        ),
    ),
    "removal_not_verified": (
        N_("The terminal said OK, but “%(name)s” is still there. The next try is %(time)s."),
        N_("The terminal said OK, but “%(name)s” is still there."),
        N_("The terminal said OK, but the person is still there. The next try is %(time)s."),
        N_("The terminal said OK, but the person is still there."),
    ),
    "removal_not_shown": (
        N_(
            "The terminal accepted the removal, but does not show who is there, so it is not confirmed. "
            "The next try is %(time)s."
        ),
        N_("The terminal accepted the removal, but does not show who is there, so it is not confirmed."),
    ),
    "removal_asked_again": (
        N_(
            "The ID is not on the terminal now. But a request got no answer and may still arrive there, so this is "
            "checked once more. The next try is %(time)s."
        ),
        N_(
            "The ID is not on the terminal now. But a request got no answer and may still arrive there, so this is "
            "checked once more."
        ),
    ),
    "may_still_arrive": (
        N_("A request got no answer and may still arrive at the terminal. Say so again in three minutes."),
    ),
    "holder_not_shown": (N_("The terminal does not show who has this ID there. Remove it all the same?"),),
    "file_gone": FILE_LOST,
    # An import: its files.
    "import_unknown": (N_("This import is not there any more."),),
    "nothing_uploaded": (N_("Choose a table, an archive of photos, or both."),),
    "photos_file_too_large": (
        N_("The archive is too large: at most %(n)s MB. Divide the photos into several archives."),
        N_("The archive is too large. Divide the photos into several archives."),
    ),
    "certificate_uncheckable": (N_("This certificate cannot be checked: the password key of then is lost."),),
    "archive_unreadable": (
        N_("The photos must be in a ZIP archive, each named by employee ID, such as 100222.jpg, or by full name."),
    ),
    "archive_too_many": (
        N_("The archive has too many files: at most %(n)s. Divide the photos into several archives."),
        N_("The archive has too many files. Divide the photos into several archives."),
    ),
    "archive_too_large": (
        N_("The photos in the archive have more than %(n)s MB together. Divide them into several archives."),
        N_("The photos in the archive are too large together. Divide them into several archives."),
    ),
    "archive_encrypted": (N_("The archive has a password. Make one without a password."),),
    "archive_empty": (N_("The archive has no photos."),),
    "column_missing": (N_("Choose the column for this."),),
    "column_twice": (N_("This column is chosen twice. Choose another one."),),
    "column_unknown": (N_("The table has no such column. Choose another one."),),
    "column_unclear": (
        N_("It is not clear what is in %(columns)s. Choose it, or say that the column is not used."),
        N_("It is not clear what is in a column. Choose it, or say that the column is not used."),
    ),
    "days_column_unknown": (
        N_("Nobody has said what the days in %(columns)s are. Choose it, or say that the column is not used."),
        N_("Nobody has said what the days in a column are. Choose it, or say that the column is not used."),
    ),
    "mapping_unknown": (N_("There are no saved columns with this name."),),
    "mapping_known": (N_("Other saved columns have this name. Choose another name."),),
    "mapping_unfit": (
        N_("The table does not have all of these columns. Missing: %(columns)s."),
        N_("The table does not have all of these columns."),
    ),
    "import_checked": (
        N_("This import is checked already. To read the table in another way, go back to its columns."),
    ),
    "import_not_checked": (N_("This import is not checked yet."),),
    "import_started": (N_("This was started already."),),
    "nothing_to_undo": (N_("Nothing of this import can be undone: nothing was done, or all is undone already."),),
    "import_file_gone": (N_("The uploaded file is not kept any more. Upload it again."),),
    "wrong_rows_unlike": (
        N_("This is not the file of wrong rows of this import: its columns are others. Download it from this page."),
    ),
    "too_many_corrections": (N_("The file has more than %(n)s rows. Correct the table itself and upload it again."),),
    "import_too_large": (
        N_("The rows of this file take more than %(n)s MB here. Split it, or delete the columns that are not needed."),
        N_("The rows of this file take too much room. Split it, or delete the columns that are not needed."),
    ),
    # An import: its rows.
    "text_empty": (N_("“%(field)s” must not be empty."), N_("This must not be empty.")),
    "text_too_long": (
        N_("“%(field)s” is too long: at most %(most)s characters."),
        N_("This is too long: at most %(most)s characters."),
        N_("This is too long."),
    ),
    "text_control_characters": (
        N_("“%(field)s” must not contain control characters."),
        N_("This must not contain control characters."),
    ),
    "number_invalid": (
        N_("Enter an ID: Latin letters and digits, up to 32. Perhaps %(meant)s."),
        N_("Enter an ID: Latin letters and digits, up to 32."),
    ),
    "number_unknown": (N_("No such ID here. Perhaps %(meant)s."), N_("No such ID here.")),
    "number_twice": (
        N_("The same ID is in other rows, too: %(lines)s."),
        N_("The same ID is in other rows, too."),
    ),
    "row_too_long": (N_("This row is too long to be read."),),
    "row_shifted": (
        N_(
            "This row has more cells than there are names of columns. Put a text with a separator in quotation marks, "
            "or name the last column."
        ),
    ),
    "formula": (N_("This is a formula. Put its value there."),),
    "left_unreadable": (N_("Write yes, no, or the day on which the employee left."),),
    "day_unreadable": (N_("Write a day such as 31.12.2030 without a time, or nothing."),),
    "day_outside": (N_("Terminals take days from 2000 to 2037 only."),),
    "days_order": (N_("The last day must not be before the first one."),),
    "department_day": (
        N_("This is a day. A spreadsheet may have made it of a department such as 1/2: write its name."),
    ),
    "department_left": (
        N_("This is no department. Say who left in a column such as “Left”, or leave these people out."),
    ),
    "department_archive": (
        N_(
            "Have these people left? Say so in a column such as “Left”, or leave them out. If this is a department, "
            "add it on the page “Departments” first."
        ),
    ),
    "department_ditto": (N_("Write the name of the department: signs for “as above” are not read."),),
    "name_note": (
        N_(
            "Write the name alone: no position, address, digits or signs, and no note that somebody left or is away, "
            "or that a post is vacant."
        ),
    ),
    "letters_broken": (
        N_(
            "Letters are broken here: a program lacks them, or took the encoding for another one. Write this anew, or "
            "save the file as “CSV UTF-8” or .xlsx where it is right."
        ),
    ),
    "status_unclear": (N_("In a column of a status, write “left” or “works”: anything else is not clear."),),
    "left_contradicts": (N_("One column says that the employee left, and another one that not."),),
    "employee_known": (N_("This employee is here already: only new ones are imported."),),
    "employee_new": (N_("Nobody here has this ID: only employees who are here are changed."),),
    "inactive_here": (N_("This employee is deactivated here. Activate the employee on the employee's page."),),
    "photo_twice": (
        N_("There are more photos of this employee: %(others)s."),
        N_("There are several photos of this employee."),
    ),
    "photo_nobody": (
        N_("Nobody has the ID that this photo is named by. Perhaps %(meant)s."),
        N_("Nobody has the ID that this photo is named by."),
    ),
    "photo_not_named": (
        N_(
            "A photo must be a .jpg, .jpeg, .png or .webp file that is named by employee ID, such as 100222.jpg, or by "
            "the full name of somebody in the table or here."
        ),
    ),
    "photo_of_namesakes": (
        N_("Several people have the name of this file. Name it by employee ID, such as %(n)s.jpg."),
        N_("Several people have the name of this file. Name it by employee ID, such as 100222.jpg."),
    ),
    "changed_since": (N_("The employee was changed meanwhile, so nothing was done."),),
    "undo_started": (N_("This was started already."),),
    "nothing_to_take_back": (N_("Nobody is left to undo: nobody was taken over, or all of it is undone already."),),
    "leaves_by_take_over": (
        N_("The validity there was over, so the terminal was told to remove this person. That is not undone."),
    ),
    "was_wanted_before": (
        N_("This employee was to be on the terminal before that, too. Correct name and days on the employee's page."),
    ),
    "face_was_replaced": (
        N_("The employee has got the face from the terminal instead of another one. Save the right photo."),
    ),
    "days_shut_out": (
        N_("With the days before that, this employee would lose access. Set them on the employee's page."),
    ),
    "import_row_gone": (N_("The employee's data was deleted, and this row with it."),),
    "import_photo_gone": (N_("The photo is not in the uploaded archive any more. Upload it again."),),
    "face_stays": (
        N_("The photo is on the terminal “%(t)s” already. Save another photo, or delete the employee."),
        N_("The photo is on a terminal already. Save another photo, or delete the employee."),
    ),
    # A table of people.
    "table_unreadable": (
        N_("This is no CSV, XLSX, XLS or ODS file. Save the table as one of these and choose that file."),
    ),
    "table_empty": (N_("The file is empty. Choose the file with the employees."),),
    "table_no_rows": (N_("There are no rows below the names of the columns. Choose the file with the employees."),),
    "table_too_large": (
        N_("The file has more than %(n)s MB. Split it, or delete the columns that are not needed."),
        N_("The file is too large. Split it, or delete the columns that are not needed."),
    ),
    "table_columns": (
        N_("The table has more than %(n)s columns. Delete those that are not needed."),
        N_("The table has too many columns. Delete those that are not needed."),
    ),
    "table_rows": (
        N_("The table has more than %(n)s rows. Split it into several files."),
        N_("The table has too many rows. Split it into several files."),
    ),
    "table_html": (N_("No table is found in this web page. Open it in Excel, save it as .xlsx and choose that file."),),
    "table_ldif": (N_("This is an export of a directory (LDIF). Export the people as CSV and choose that file."),),
    "table_json": (N_("This is a JSON file. Export the people as CSV or .xlsx and choose that file."),),
    "table_vcard": (N_("These are contacts (vCard). Export the people as CSV, with their IDs, and choose that file."),),
    "table_archive": (N_("This is an archive (RAR or 7z). Unpack it and choose the table from it."),),
    "table_dbf": (N_("This is a dBase table (DBF). Open it in LibreOffice, save it as .xlsx and choose that file."),),
    "table_document": (
        N_("This is a document (PDF, Word or RTF). Export the people as CSV or .xlsx and choose that file."),
    ),
    "table_xlsb": (N_("This is a binary workbook (.xlsb). Save it in Excel as .xlsx and choose that file."),),
    "table_sheets": (
        N_("The file has more than %(n)s sheets. Delete those that are not needed."),
        N_("The file has too many sheets. Delete those that are not needed."),
    ),
    "table_sheet_unknown": (N_("The file has no such sheet. Choose another one."),),
    "table_sheet_unnamed": (
        N_("Several sheets have people: %(sheets)s. Name the one to read, or * for all with the same columns."),
        N_("Several sheets have people. Name the one to read, or * for all with the same columns."),
    ),
    "table_password": (N_("The file is protected by a password. Save it without one and choose that file."),),
    "table_macros": (N_("The file has macros. Save it as .xlsx, without macros, and choose that file."),),
    "table_damaged": (
        N_("The file is damaged. Open it in Excel or LibreOffice, save it again as .xlsx and choose that file."),
    ),
    "table_unpacked": (
        N_("Unpacked, the file is far too large. Copy the table into a new workbook and choose that file."),
    ),
    "table_encoding": (
        N_("The letters of the file are in an unknown encoding. Save it as “CSV UTF-8” or .xlsx and choose that file."),
    ),
    "table_quote": (
        N_(
            "In row %(line)s a quotation mark is opened and never closed. Correct that row, or save the table as .xlsx."
        ),
        N_("A quotation mark is opened and never closed. Correct that row, or save the table as .xlsx."),
    ),
    "table_side_by_side": (
        N_(
            "“%(column)s” is there twice: rows have two people side by side. Put each person into a row of its own, or "
            "say that the columns of the second one are not used."
        ),
        N_(
            "Rows have two people side by side. Put each person into a row of its own, or say that the columns of the "
            "second one are not used."
        ),
    ),
    "table_second_head": (
        N_(
            "In row %(line)s another table begins, with its columns in another order. Put each table into a file or a "
            "sheet of its own."
        ),
        N_("Another table begins below, with its columns in another order. Put each table into a file of its own."),
    ),
    "table_leavers": (
        N_(
            "Below row %(line)s are those who left, and no column says so. Delete these rows, or write into a column "
            "“Left” who did."
        ),
        N_(
            "Those who left have a part of the table, and no column says so. Delete these rows, or write into a column "
            "“Left” who did."
        ),
    ),
    "table_cut": (
        N_(
            "Row %(line)s, the last one, breaks off: the file is not complete. Choose it again once it is. A program "
            "that writes it should rename it when complete."
        ),
        N_(
            "The last row breaks off: the file is not complete. Choose it again once it is. A program that writes it "
            "should rename it when complete."
        ),
    ),
    "table_perhaps_cut": (
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
    "table_slow": (
        N_("Reading the table took too long. Copy the columns that are needed to a new workbook and choose that file."),
    ),
    "tables_waiting": (
        N_("The server is reading other files just now. Try again in %(n)s s."),
        N_("The server is reading other files just now. Try again in a moment."),
    ),
    # Who may come in.
    "too_often": (
        N_("Too many tries. Wait %(n)s s and try again."),
        N_("Too many tries. Wait a while and try again."),
    ),
    "passwords_busy": (
        N_("The server has too many passwords to check just now. Wait %(n)s s and try again."),
        N_("The server has too many passwords to check just now. Try again in a moment."),
    ),
    "sign_in_refused": (N_("The name or the password is wrong."),),
    "sign_in_refused_or_away": (
        N_("The name or the password is wrong, or the company's directory does not answer just now."),
    ),
    "directory_away": (N_("The company's directory does not answer just now. Try again in half a minute."),),
    "directory_decides": (
        N_("The company's directory has the password and the role of this operator. Change them there."),
    ),
    "password_wrong": (N_("The password is wrong."),),
    "password_short": (
        N_("The password is too short: at least %(n)s characters."),
        N_("The password is too short."),
    ),
    "password_long": (N_("The password is too long: at most %(n)s characters."), N_("The password is too long.")),
    "password_common": (N_("This password is too easy to guess. Take several words that do not belong together."),),
    "operator_name_known": (N_("Another operator has this name. Choose another name."),),
    "name_reserved": (N_("The audit trail has a program under this name. Choose another name."),),
    "operator_unknown": (
        N_("There is no operator “%(name)s”."),
        N_("There is no such operator any more."),
    ),
    "operators_exist": (N_("There is an administrator already. Sign in."),),
    "last_administrator": (N_("Nobody would be left to administer. Make somebody else an administrator first."),),
    "factor_code_wrong": (N_("The code is wrong, or was used already. Wait for the next one."),),
    "factor_missing": (N_("There is no second factor."),),
    "factor_required": (N_("Your role must sign in with a second factor, so it is not switched off."),),
    "mail_account_refused": (
        N_(
            "The mail server refuses the program's account (%(text)s). Correct HIKFLASK_MAIL_USER and "
            "HIKFLASK_MAIL_PASSWORD."
        ),
        N_("The mail server refuses the program's account. Correct HIKFLASK_MAIL_USER and HIKFLASK_MAIL_PASSWORD."),
    ),
    "mail_receivers_refused": (
        N_("The mail server takes no mail for %(text)s. Correct these addresses."),
        N_("The mail server takes no mail for some of the addresses."),
    ),
    "mail_refused": (N_("The mail server took no mail: %(text)s."), N_("The mail server took no mail.")),
    "mail_server_away": (
        N_(
            "The mail server %(address)s does not let the program in (%(text)s). Correct HIKFLASK_MAIL_SERVER, "
            "HIKFLASK_MAIL_PORT or HIKFLASK_MAIL_TLS, or let this machine reach it."
        ),
        N_("The mail server does not let the program in."),
    ),
    "setting_unknown": (N_("There is no such setting."),),
    "setting_fixed": (N_("This setting is fixed in the environment of the machine. Change it there."),),
    "setting_refused": (N_("“%(setting)s” must be %(allowed)s."), N_("This value is not allowed.")),
    "setting_long": (
        N_("“%(setting)s” is too long: at most %(n)s characters, with a comma and a space between addresses."),
        N_("This value is too long."),
    ),
    "audit_retention_short": (
        N_("The database itself keeps entries of the audit trail for %(n)s days. Enter so many days or more."),
        N_("The database itself keeps entries of the audit trail for longer. Enter more days."),
    ),
    "settings_contradict": (
        N_("“%(longer)s” must not be less than “%(shorter)s”, which is %(limit)s s: it would go too early."),
        N_("Two settings contradict each other."),
    ),
    "push_address_missing": (
        N_("While terminals tell by themselves, “%(shorter)s” must be set."),
        N_("While terminals tell by themselves, their way to this server must be set."),
    ),
    "token_name_known": (N_("Another token has this name. Choose another name."),),
    "token_unknown": (N_("There is no token “%(name)s”."), N_("There is no such token any more.")),
    "code_wrong": (N_("The code is wrong. The server's log shows the right one."),),
    "consent_missing": (N_("There is no consent to take this photo yet. Record the consent first."),),
    "kept_without_consent": (N_("The photo is stored, but no consent to it is recorded. Record the consent."),),
    # Refusals of a terminal, by its own code.
    "capturetimeout": NOBODY_CAME,
    "capture_unanswered": UNANSWERED,
    "unusable_picture": (N_("The picture is not usable. Take the photo again."),),
    "devicebusy": BUSY,
    "facedatamodeling": BUSY,
    "notsupport": NO_CAPTURE,
    "function_not_supported": (
        N_("The terminal does not support: %(function)s."),
        N_("The terminal does not support this function."),
    ),
    "picturefacedetectzero": NO_FACE,
    "nofaceinpicture": NO_FACE,
    "picanalysisnotargeterror": NO_FACE,
    "multiplefaceobjecterror": (N_("More than one face. One person, please."),),
    "pupildistancetoosmall": SMALL_FACE,
    "picsizesmallerror": SMALL_FACE,
    "facedatalenshort": SMALL_FACE,
    "facesizesmall": SMALL_FACE,
    "facelowqulity": POOR_QUALITY,
    "facelowquality": POOR_QUALITY,
    "poorfacequality": POOR_QUALITY,
    "facescorefailure": POOR_QUALITY,
    "lowscore": POOR_QUALITY,
    "subpicanalysismodelingerror": MODELING,
    "modelingfailed": MODELING,
    "picfeaturepoints": MODELING,
    "picsizeexceederror": FILE_TOO_LARGE,
    "filesizeexceederror": FILE_TOO_LARGE,
    "employeenoalreadyexist": NUMBER_TAKEN,
    "deviceuseralreadyexist": NUMBER_TAKEN,
    "employeenonotexist": NOT_THERE,
    "deviceusernotexist": NOT_THERE,
    "illegalemployeeno": ILLEGAL_NUMBER,
    "notsupportcharacter": ILLEGAL_NUMBER,
    "deviceuserfull": FULL,
    "devicefacefull": FULL,
    "faceimagesnumerror": FULL,
    "userexceedlimit": FULL,
    "facenumfull": FULL,
    "deviceuseralreadyexistface": (
        N_("The terminal has a face of this person already and does not replace it. Remove it there, then try again."),
    ),
    "alreadyexistthisface": (
        N_("This face is already there under another ID. Perhaps enrolled twice: %(name)s."),
        N_("This face is already there under another ID. Perhaps enrolled twice."),
    ),
    "urldownloadfail": FILE_LOST,
    "urldownloadfailed": FILE_LOST,
    "gone": FILE_LOST,
    "wrong_password": PASSWORD,
    "login_refused": PASSWORD,
    "locked": (N_("The account there is locked for %(n)s more min."), N_("The account there is locked.")),
    "lowprivilege": (N_("The terminal's account lacks the right for this."),),
    "rebootrequired": (N_("This takes effect when the terminal restarts. Restart it, then press “Check”."),),
    "notactivated": (N_("The terminal is not activated yet."),),
    "unreachable": AWAY,
    "no_answer": AWAY,
    "address_refused": ADDRESS,
    "terminal_address_refused": (
        N_("This address is not in a network of %(setting)s. Correct it, or add its network there."),
        N_("No terminal may have this address. Correct it."),
    ),
    "https_required": HTTPS,
    "terminal_https_required": HTTPS,
    "weak_digest": (
        N_(
            "“%(t)s” offers a login with MD5 only, and SHA-256 is required here, so the password was not sent. "
            "Switch SHA-256 on at the terminal, then press “Check”."
        ),
        N_(
            "The terminal offers a login with MD5 only, and SHA-256 is required here, so the password was not sent. "
            "Switch SHA-256 on at the terminal, then press “Check”."
        ),
    ),
    "certificate_changed": (
        N_("“%(t)s” shows another certificate. If it was replaced, an administrator must confirm it."),
        N_("The terminal shows another certificate. If it was replaced, an administrator must confirm it."),
    ),
    "nonsense": (
        N_("“%(t)s” gives an answer that makes no sense. Check the address."),
        N_("The terminal gives an answer that makes no sense. Check the address."),
    ),
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
TERMINALS_OWN = "terminal:"

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
    for variant in SENTENCES.get(code, REFUSED):
        if set(NAMES.findall(variant)) <= given.keys():
            return text_rules.filled(str(gettext(variant)), given)
    return str(gettext(REFUSED[-1])) % given


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
        return _sentence(code, {"setting": SETTINGS.get(code), **params})


def english_of(refusal: Refusal | None) -> str:
    """Return the sentence of a refusal in English, for the API and the command line."""
    return english(refusal["code"], **refusal["params"]) if refusal else ""


def outline(code: str) -> str:
    """Return the shortest sentence in English with “…” for each value, for a list of codes."""
    variant = SENTENCES.get(code, REFUSED)[-1]
    return variant % (dict.fromkeys(NAMES.findall(variant), "…") | {"code": _shown(code)})


def _shown(code: str) -> str:
    """Return a code without the prefix of a terminal's own code (isapi/errors.py)."""
    return code.removeprefix(TERMINALS_OWN)
