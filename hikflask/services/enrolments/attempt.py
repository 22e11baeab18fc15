"""One attempt to reconcile one number on one terminal. It writes the row only under the lease and the generation."""

from typing import Any

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import GenerationChanged
from hikflask.services.core.terminal_name import name_for
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.audit_notes import AttemptTrail
from hikflask.services.privacy import certificates
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import Transition
from hikflask.services.terminals.connection import Conversation


class Attempt:
    """The state of one attempt: `row` as last written, and the `name` that this terminal gets.

    `whole_names` are the employee's full name and own name for terminals. Each tells the person from others with the
    number; a shorter form of the full name may be somebody else's, too.

    :param prove_again: verify again what was confirmed before.
    """

    def __init__(self, talk: Conversation, enrolment: Enrolment, prove_again: bool) -> None:
        self.talk = talk
        self.row = enrolment
        self.prove_again = prove_again
        employee = enrolment.employee
        self._full, self._own = (employee.name, employee.terminal_name) if employee else (enrolment.last_name, "")
        self.name = self._full
        self._generation = enrolment.generation
        self._trail = AttemptTrail(enrolment)
        db.session.commit()

    @property
    def number(self) -> str:
        """The employee number of the enrolment."""
        return self.row.number

    @property
    def whole_names(self) -> set[str]:
        """The names that are the employee's whoever wrote them."""
        return {self._full, self._own} - {""}

    def choose_name(self) -> None:
        """Choose the form of the name for the terminal, whose limit is known by now.

        :raises NameTooLong: when not even one letter fits.
        """
        self.name = name_for(self.talk.terminal, self._full, self._own)

    def write(self, transition: Transition, **given: Any) -> None:
        """Apply a transition to the row, and write its result to the audit trail.

        :raises GenerationChanged: when the desired state was changed meanwhile.
        :raises LeaseLost: when another holder took the lease; nothing is written.
        """
        written = {**transition.writes, **given}
        with self.talk.lease.write():
            row = self._apply(transition, **given)
            self._trail.note(row, written)
            if written.get("person") == CONFIRMED:
                self._note_sync()
        self.row = row

    def write_gone(self) -> None:
        """Write that the terminal has nobody with this number. The row is deleted if it has no employee any more.

        :raises GenerationChanged: :raises LeaseLost: as in write().
        """
        with self.talk.lease.write():
            self.row = self._apply(state.GONE)
            self._trail.note_gone(self.row)
            self._note_sync()
            certificates.end_removal(self.row)

    def claim(self, step: str) -> None:
        """Write the present step. An unconfirmed row is claimed again, so it becomes due when the worker is killed."""
        self.write(state.STEP if self.row.is_confirmed else state.STEP_CLAIMED, step=step)

    def read_again(self) -> None:
        """Read the row again after a rollback.

        :raises EnrolmentUnknown: when it was deleted meanwhile.
        """
        self.row = queries.row(self.row.id)

    def _apply(self, transition: Transition, **given: Any) -> Enrolment:
        row = state.apply_to(self.row.id, self._generation, transition, **given)
        if row is None:
            raise GenerationChanged
        return row

    def _note_sync(self) -> None:
        synced = update(Terminal).where(Terminal.id == self.row.terminal_id)
        changed_rows(synced.values(last_sync=database_now()))
