"""What a job does for each item, by the name of its kind. Everything happens within the caller's transaction.

Which kinds there are is the table in services/providers.py.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from hikflask.models import Enrolment, Job, JobItem
from hikflask.services.core.progress import Progress
from hikflask.services.enrolments.mass_removals import Losses

DEACTIVATE = "deactivate"
SEND = "send"
DEPARTMENT = "department"
CONSENT = "consent"
GROUPS = "groups"
EXPORT = "export"
PRINT = "print"
IMPORT_CHECK = "import_check"
IMPORT = "import"
IMPORT_UNDO = "import_undo"
COMPARE = "compare"
APPLY = "apply"
APPLY_UNDO = "apply_undo"
DELETE_PASSAGES = "delete_passages"
# The lanes of the queue in which jobs run: those of the second talk to a terminal themselves.
JOBS, TERMINALS = "jobs", "terminals"
# Among the params of an import: its dry run comes first, and what is agreed to after it.
CHECK_FIRST, AGREED, CONFIRMED = "check", "agreed", "confirmed_numbers"
# Among the params of an import: rows that take somebody's terminal are left out, as nobody confirmed how many lose one.
WITHHELD = "withheld"
# Among the params: who loses access by a job, as it was agreed, and how many lost it by now of whom no other job was
# agreed to take it: by terminal, and of ALL people.
LOSSES, TAKEN, ALL = "losses", "own", "all"
# Of an item of a job of groups, among what was agreed to: the terminals that the person loses.
LOSES = "loses"
# Among the params of a change of department: which one it is, whatever its name is by now; None: none.
DEPARTMENT_ID = "department_id"
# Among the params of a record of consents: the day on which they were given.
GIVEN_ON = "given_on"
# Among the params of a deletion of all passages: the id of the newest one when it was asked for.
NEWEST = "newest"
# Among the params of a draft: how many of those who were chosen are inactive, and how many have a consent already.
LEFT_OUT, HAVE_CONSENT = "left_out", "have_consent"
# How a row is locked whose params are read and written: an erasure takes numbers out of them.
LOCKED = {"key_share": True}
# What may be done with those who are selected on the list.
OF_SELECTION = (DEACTIVATE, SEND, DEPARTMENT, CONSENT, EXPORT, PRINT)
OF_IMPORTS = (IMPORT_CHECK, IMPORT, IMPORT_UNDO)
Params = Mapping[str, Any]
# Does what is done for an item, and returns the enrolments that it waits for.
Run = Callable[[], Sequence[Enrolment] | None]


@dataclass(frozen=True)
class Kind:
    """What is done for one item; None where a draft is only shown, or everything is done as a whole.

    `together` does what it can for several items at once, and returns the numbers of those for whom it did; the others
    are done one by one.
    `prepare` is entered before an item's transaction and left after it, where something is waited for; it yields what
    is done instead of `run`.
    `whole` is done first, in transactions of its own. A worker that is killed meanwhile leaves what it committed, and
    `whole` is done again from its beginning. It may add items. When it returns True, more is left, and it is called
    again after the turns of other jobs.
    `end` is done when every item was tried; it is done again when the worker is killed before the job has ended.
    `losses` counts who loses access by what a job has left to do, as it would be now; where it still `removes` anybody,
    only an administrator lets it go on.
    `active_only`: inactive employees are left out, since nothing would be done for them; `lacking_consent`: so are
    employees with a recorded consent. `audit_action`: what the start is in the audit trail besides, where people leave
    the program.
    `lane` is where the queue runs it. A kind that talks to a terminal itself waits when the terminal does not answer,
    and fails when the terminal refused the password.
    `awaits_confirmation`: `run` returns enrolments, each of which is an item that ends when its terminal confirmed it,
    or nobody tries any more.
    `can_retry`: what failed, or is left after a stop, may be tried again; others have a page of their own for that.
    `can_stop`: it may be stopped, and left as it is when it failed. A job of groups goes on to its end, or terminals
    would differ from what groups ask for: whoever changes the group back gets a job that does so.
    `by_admin`: only administrators may start, stop and retry it.
    `operators_only`: its items and its report are for those who enrol employees: rows of a file, or a plan that names
    people whom only the terminal knows.
    """

    run: Callable[[JobItem, Params], Sequence[Enrolment] | None] | None
    whole: Callable[[Job, Progress], bool | None] | None = None
    end: Callable[[Params], None] | None = None
    active_only: bool = False
    lacking_consent: bool = False
    audit_action: str = ""
    lane: str = JOBS
    awaits_confirmation: bool = False
    can_retry: bool = True
    can_stop: bool = True
    by_admin: bool = False
    operators_only: bool = False
    together: Callable[[Collection[str], Params], Collection[str]] | None = None
    prepare: Callable[[JobItem, Params], AbstractContextManager[Run]] | None = None
    removes: Callable[[Job], bool] = lambda job: False  # noqa: ARG005 - nobody is removed
    losses: Callable[[Job], Losses] = lambda job: Losses()  # noqa: ARG005 - nobody loses anything

    def prepared(self, item: JobItem, params: Params) -> AbstractContextManager[Run]:
        """Return what is done for an item, once everything is there that is waited for."""
        if self.prepare:
            return self.prepare(item, params)
        if self.run is None:
            raise TypeError(f"nothing is done for item {item.id}")
        return nullcontext(partial(self.run, item, params))

    @property
    def talks(self) -> bool:
        """True when it talks to a terminal itself."""
        return self.lane == TERMINALS


KINDS: dict[str, Kind] = {}
