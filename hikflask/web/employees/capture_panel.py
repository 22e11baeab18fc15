"""The state of the capture panel: the capture of the form, and why a new one was refused."""

from dataclasses import dataclass, replace
from typing import Any

from flask import current_app

from hikflask import messages
from hikflask.codes.refusals import type_of
from hikflask.forms.employees import EmployeePageForm
from hikflask.messages import error_sentence
from hikflask.models import Capture, Photo
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, USED
from hikflask.services.captures import deadline, drafts, holds, queries
from hikflask.services.captures.deadline import View
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import photo_drafts
from hikflask.services.employees.photo_drafts import PhotoDraft
from hikflask.web.security.current_operator import operator_name

IDLE = "idle"


@dataclass(frozen=True)
class Panel:
    """A capture as it is now, or none yet (idle), with a refusal above it where a new one was refused.

    `earlier`: the picture that stays after a retake without a picture. `in_the_way`: the running capture or the picture
    because of which a new one was refused. `file`: the photo from a file that is shown instead, or again as soon as the
    capture ends without a picture; `file_gone` when it is not there any more.
    """

    view: View | None = None
    refusal: str = ""
    refusal_text: str = ""
    earlier: Capture | None = None
    in_the_way: Capture | None = None
    file: PhotoDraft | None = None
    file_gone: bool = False

    @property
    def shows_file(self) -> bool:
        """True when the photo from a file is the picture that would be saved."""
        return self.file is not None and not self.running

    @property
    def capture_id(self) -> int | None:
        """The id of the capture in the form: the one whose picture is shown, else the one that was awaited."""
        return self.earlier.id if self.earlier else self.page_id

    @property
    def page_id(self) -> int | None:
        """The id of the capture in the address of the page."""
        return self.view.capture.id if self.view else None

    @property
    def state(self) -> str:
        """The capture's state, or idle."""
        return self.view.state if self.view else IDLE

    @property
    def running(self) -> bool:
        """True while the capture runs, and the panel polls."""
        return self.view is not None and self.view.running

    @property
    def photo(self) -> Photo | None:
        """The picture, once it is taken and until it is deleted."""
        shown = self.view.capture if self.view and self.state in {CAPTURED, USED} else self.earlier
        photo = shown.photo if shown else None
        return None if photo is None or photo.forgotten_at else photo

    @property
    def deleted(self) -> bool:
        """True when the picture was deleted because nobody saved it in time."""
        return self.state == FAILED and self.view is not None and self.view.reason == "not_saved"

    @property
    def draft(self) -> Draft:
        """The form as it was typed when the capture began, or later beside the picture that stays after a retake.

        Beside the picture of another operator the draft is the one of the retake.
        """
        if self.view is None:
            return Draft()
        retake, earlier = self.view.capture, self.earlier
        return drafts.of(earlier if earlier and earlier.requested_by == retake.requested_by else retake)

    @property
    def seconds_left(self) -> int:
        """How many seconds more the terminal waits for a face."""
        return self.view.seconds_left if self.view else 0

    @property
    def percent_left(self) -> int:
        """How much of the time for a face is left."""
        return min(100, round(100 * self.seconds_left / float(current_app.config["CAPTURE_TIMEOUT"])))

    @property
    def cause(self) -> str:
        """The icon of why there is no picture, when a capture was refused or ended without one; "" otherwise."""
        if self.photo or self.file or not (self.refusal or self.view):
            return ""
        reason = self.view.reason if self.view and self.state == FAILED else self.state
        return type_of(self.refusal or reason).icon

    def question(self, name: str | None) -> str:
        """Return the question below a photo, whether it is of the employee in the form; "" without a name."""
        return messages.sentence("photo_of", name=name) if name else ""

    def sentence(self) -> str:
        """Return the sentence for the operator, without the seconds that are left."""
        if self.view is None:
            return ""
        capture = self.view.capture
        about: dict[str, Any] = {"t": capture.terminal.name, "terminal": capture.terminal.name}
        if self.state == CANCELLED and self.earlier:
            return messages.sentence("retake_cancelled")
        if self.state == QUEUED and (first := holds.bound_first(capture)):
            return messages.sentence("bound_first", name=first.draft_name.strip(), **about)
        if self.state != FAILED:
            return messages.sentence(self.state, **about)
        params = capture.refusal["params"] if capture.refusal else {}
        about |= {"address": capture.terminal.url, "n": params.get("after"), **params}
        failure = messages.sentence(self.view.reason or FAILED, **about)
        return f"{failure} {messages.sentence('earlier_stays')}" if self.earlier else failure


def of(capture_id: int | None, error: ServiceError | None = None) -> Panel:
    """Return the panel of a capture, or of none; `error` is why a new capture was refused."""
    view = deadline.find(capture_id) if capture_id else None
    without = view is not None and view.state in {FAILED, CANCELLED}
    earlier = queries.unsaved_of_form(capture_id) if without else None
    if error is None:
        return Panel(view, earlier=earlier)
    in_the_way = queries.get(error.params.get("capture_id") or 0)
    return Panel(view, error.code, error_sentence(error), earlier, in_the_way)


def for_form(form: EmployeePageForm, error: ServiceError | None = None) -> Panel:
    """Return the panel of a form: of its capture, with its photo from a file."""
    return with_file(of(form.own_capture, error), form.photo_draft.data, form.draft_behind.data)


def with_file(shown: Panel, token: str | None, behind: str | None) -> Panel:
    """Return the panel with the photo from a file, if the operator has such a draft.

    :param behind: the token of a draft that the picture of the capture replaces.
    """
    wanted = token or ("" if shown.state in {CAPTURED, USED} else behind)
    file = photo_drafts.find(wanted, operator_name()) if wanted else None
    return replace(shown, file=file, file_gone=bool(wanted and file is None))
