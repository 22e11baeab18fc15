"""One attempt to reconcile one number on one terminal. It writes the row only under the lease and the generation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import case

from hikflask.isapi.persons import Rights, TerminalPerson, Validity
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import GenerationChanged
from hikflask.services.core.terminal_name import name_for
from hikflask.services.enrolments import queries, validity
from hikflask.services.enrolments.audit_notes import AttemptTrail
from hikflask.services.privacy import certificates
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import Transition
from hikflask.services.terminals import capacity
from hikflask.services.terminals.connection import Conversation

# A step is written with what the row gets next; on its own only after so long, because a page asks once a second.
STEP_SECONDS = 0.5


class Attempt:
    """The state of one attempt: `row` as last written, the `name` that this terminal gets, and the `validity`.

    It is made from a row that was read with its employee. Whether something may still arrive is asked once, before
    anything else: what is shown after that time is shown for good.

    `validity` is None where the terminal may keep the one that it has, `limits` None where the employee has none: a
    limit that was sent before is lifted by a validity without an end. `whole_names` are the employee's full name and
    own name for terminals. Each tells the person from others with the number; a shorter form of the full name may be
    somebody else's, too.

    `has_cards`: the employee has some, or the terminal may have some that we gave, as the row said when it was read.

    `rights` must be shown by the proof; `rights_shown` are those that were shown before anything was changed, and
    `changed` is the person as shown before a change was sent.

    :param prove_again: verify again what was confirmed before.
    """

    def __init__(self, conversation: Conversation, enrolment: Enrolment, prove_again: bool) -> None:
        self.conversation = conversation
        # How many people and faces are there by this attempt that were not before: 0, 1 or -1.
        self.people = self.faces = 0
        # The form in which the terminal took the picture, which the proof confirms; see isapi/multipart.py.
        self.picture_name = ""
        self.row = enrolment
        self.prove_again = prove_again
        # This attempt has shown what is there.
        self.is_proven = False
        employee = enrolment.employee
        self._full, self._own = (employee.name, employee.terminal_name) if employee else (enrolment.last_name, "")
        self.name = self._full
        self.limits = validity.wanted(employee)
        self.validity = validity.asked(enrolment)
        self.rights = Rights(Validity(*self.validity) if self.validity else None)
        self.rights_shown = Rights()
        self.changed: TerminalPerson | None = None
        # What was sent before this attempt and got no answer may arrive until then.
        self.late_until, self.late = enrolment.may_arrive_until, enrolment.may_come_late
        self.is_late = self.late_until is not None and state.may_still_arrive(enrolment)
        self.has_cards = bool(enrolment.has_cards)
        self._generation = enrolment.generation
        self._trail = AttemptTrail(enrolment)
        self._step = enrolment.step
        self._written_at = time.monotonic()

    @property
    def number(self) -> str:
        """The employee number of the enrolment."""
        return self.row.number

    @property
    def whole_names(self) -> set[str]:
        """The employee's own names, whoever wrote them."""
        return {self._full, self._own} - {""}

    def is_ours(self, person: TerminalPerson) -> bool:
        """True when we wrote the name that is there, or it is the employee's own in full.

        A shortened name that we never wrote may be somebody else's.
        """
        return person.name in self.row.names_sent.union(self.whole_names) - {""}

    @property
    def step(self) -> str:
        """The current step. The row may get it later."""
        return self._step

    def choose_name(self) -> None:
        """Choose the form of the name that fits on the terminal, whose limit is known by now; :raises NameTooLong:."""
        self.name = name_for(self.conversation.terminal, self._full, self._own)

    def begin(self, step: str) -> None:
        """Begin a step. The row gets it with the next write, or now if the last write is long ago."""
        self._step = step
        if time.monotonic() - self._written_at >= STEP_SECONDS:
            self.write(state.STEP, step=step)

    def claim(self, step: str) -> None:
        """Write the current step. An unconfirmed row is claimed again, so it becomes due when the worker is killed."""
        self.write(state.STEP if self.row.is_confirmed else state.STEP_CLAIMED, step=step)

    def write(self, transition: Transition, **given: Any) -> None:
        """Apply a transition to the row, and write its result to the audit trail.

        :raises GenerationChanged: when the desired state was changed meanwhile.
        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        written = {"step": self._step, **transition.writes, **given}
        if transition in state.PROOFS:
            self.is_proven = True
            # What may arrive still would undo it, so it is proven once more then.
            if self.is_late:
                given["next_attempt_at"] = self.late_until
            else:
                self.late_until = self.late = None
        besides = {"step": self._step, "may_arrive_until": self.late_until, "unanswered": self.late}
        with self._written():
            self._apply(transition, **{name: besides[name] for name in besides.keys() - transition.writes} | given)
            self._trail.note(self.row, written)
        self._step = written["step"]
        if written.get("person") == CONFIRMED:
            self._note_sync()

    def keep_late(self) -> None:
        """Note that what was sent last may have its effect later: see state.SENT."""
        self.late_until = self.row.may_arrive_until

    def write_gone(self) -> None:
        """Write that the terminal has nobody with this number. The row is deleted if it has no employee any more.

        :raises GenerationChanged: :raises LeaseLost: as in write().
        """
        with self._written():
            self._apply(state.GONE)
            self._trail.note_gone(self.row)
            certificates.end_removal(self.row)
            state.forget_cards(self.row)
            capacity.make_due_after_removal(self.conversation.terminal)
        self._note_sync()

    def read_again(self) -> None:
        """Read the row again. :raises EnrolmentUnknown: when it was deleted meanwhile."""
        self.row = queries.get_one(self.row.id)

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            with transaction(alone=True):
                yield
        except GenerationChanged:
            self.conversation.lease.verify()
            raise
        self._written_at = time.monotonic()

    def _apply(self, transition: Transition, **given: Any) -> None:
        if not state.apply_under_lease(self.row, self._generation, self.conversation.lease.number, transition, **given):
            raise GenerationChanged

    def _note_sync(self) -> None:
        self.conversation.pending_updates["last_sync"] = state.NOW
        for name, by in (("people", self.people), ("faces", self.faces)):
            if by:
                self.conversation.pending_updates[name] = _changed(name, by)
        self.people = self.faces = 0


@cache
def _changed(name: str, by: int) -> Any:
    """Return a count of the terminal's row, changed by so many; one that is not known stays so."""
    column = getattr(Terminal, name)
    return case((column + by < 0, 0), else_=column + by)
