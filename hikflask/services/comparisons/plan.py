"""From what people chose to the steps of a plan. The dry run is the same code as the run: each step is checked by it.

A plan comes from a finished comparison alone. One that would take access from many people is refused until an
administrator confirms their number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select

from hikflask import text_rules
from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.models import Comparison, Difference, Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.comparison import DONE, FACE_MISSING, KINDS, NAME, ONLY_HERE
from hikflask.models.job import NewItem
from hikflask.models.refusal import Refusal
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.changes.queries import IS_LEFT
from hikflask.services.comparisons import queries
from hikflask.services.comparisons.queries import UNREAD, ComparedNumber
from hikflask.services.comparisons.take_over import Confirmed
from hikflask.services.comparisons.validity_there import Limits, limits_taken, validity_of
from hikflask.services.core import shown
from hikflask.services.core.errors import ServiceError, refusal_of
from hikflask.services.core.similar_names import are_similar
from hikflask.services.enrolments import mass_removals
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses, Pair
from hikflask.services.privacy import consents
from hikflask.services.terminals import connection

SEND = "send"
TAKE_OVER = "take_over"
REMOVE = "remove"
LEAVE = "leave"
ACTIONS = (SEND, TAKE_OVER, REMOVE, LEAVE)
# What can be done about each kind of difference.
POSSIBLE: Mapping[str, tuple[str, ...]] = {
    "name": (SEND, TAKE_OVER, REMOVE, LEAVE),
    "face_missing": (SEND, REMOVE, LEAVE),
    "face_other": (SEND, TAKE_OVER, REMOVE, LEAVE),
    "only_here": (SEND, REMOVE, LEAVE),
    "only_there": (TAKE_OVER, REMOVE, LEAVE),
    "validity": (SEND, TAKE_OVER, REMOVE, LEAVE),
}
# The days of whoever has no limit, and of nobody.
NO_DAYS = ("", "")
# The codes of the sentences about the days of a person who is taken over.
COMES_IN_INACTIVE = "comes_in_inactive"
WHOLE_DAYS = "whole_days"
DAYS_CHANGE = "days_change"


@dataclass(frozen=True)
class Choices:
    """What a person chose: an action for a number, or for all shown differences of a kind.

    The choice for a number comes before that for its kind. `same_person` are numbers of which the person confirmed
    that the other name there is the same person's, `names_kept` those of them that keep the name here, and `same_face`
    those of which the person chose the other face there. `names_seen`: False for a program, which chose by numbers
    alone, so that it must name each other face by its SHA-256 in `faces`.
    """

    numbers: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    same_person: frozenset[str] = frozenset()
    names_kept: frozenset[str] = frozenset()
    same_face: frozenset[str] = frozenset()
    names_seen: bool = True
    faces: Mapping[str, str] = field(default_factory=dict)


class Step(NamedTuple):
    """What is done for one number. `refusal` is why it is not possible, None when it is.

    `is_there`: the terminal had the number when it was read. `names_agreed`: the person saw both names, and chose.
    `keeps_name`: the employee keeps the name here, and the record there its own.
    `replaces`: sending replaces the record there, whose cards and fingerprints are lost. `limits` are the days of
    somebody who is taken over, and `limits_here` those of the employee until then. `faces` are the SHA-256 of the face
    here and of another one there.
    """

    number: str
    action: str
    kinds: tuple[str, ...]
    employee_id: int | None
    name_here: str
    name_there: str
    is_there: bool
    names_agreed: bool
    replaces: bool
    refusal: Refusal | None = None
    limits: Limits | None = None
    limits_here: Limits | None = None
    faces: tuple[str, str] | None = None
    keeps_name: bool = False

    @property
    def has_similar_names(self) -> bool:
        """True when the names here and there may be the same person's: see similar_names.py."""
        return are_similar(self.name_here, self.name_there)

    @property
    def refusal_code(self) -> str:
        """The code of the refusal, or an empty text."""
        return self.refusal["code"] if self.refusal else ""

    @property
    def is_new_face(self) -> bool:
        """True when the face there comes in place of the one here."""
        return self.action == TAKE_OVER and self.faces is not None and not self.refusal

    @property
    def comes_in_inactive(self) -> bool:
        """True when the days there are over, so that the person comes in without access anywhere."""
        return self.limits is not None and self.limits.is_over

    @property
    def notes(self) -> tuple[str, ...]:
        """The codes of the sentences about the days of a person who is taken over."""
        if self.limits is None:
            return ()
        days, before = (self.limits.first, self.limits.last), self.limits_here
        notes = {
            COMES_IN_INACTIVE: self.comes_in_inactive,
            WHOLE_DAYS: self.limits.is_rounded,
            DAYS_CHANGE: before is not None and (before.first, before.last) != days,
        }
        return tuple(code for code, is_so in notes.items() if is_so)

    @property
    def takes_access(self) -> bool:
        """True when somebody who has access to this terminal now has it no more: removed, inactive, or replaced."""
        if self.refusal:
            return False
        # Somebody who was missing when the list was read may be there by now.
        return self.action == REMOVE or (self.is_there and (self.replaces or self.comes_in_inactive))

    @property
    def shuts_out(self) -> bool:
        """True when the employee gets days by which access ends soon, and sooner than before."""
        return bool(self.limits and self.limits_here and self.limits.take_from(self.limits_here))

    @property
    def confirmed(self) -> Confirmed:
        """What is confirmed by whoever saw this step and starts the plan."""
        days_here = self.limits_here.written if self.limits_here else NO_DAYS
        return Confirmed(
            same_person=self.names_agreed,
            keeps_name=self.keeps_name,
            name_here=shown.digest(self.name_here) if self.names_agreed else None,
            faces=self.faces if self.is_new_face else None,
            may_take_days=self.shuts_out,
            days_here=days_here if self.action == TAKE_OVER else None,
            replaces=self.replaces and not self.refusal,
            comes_in_inactive=self.comes_in_inactive,
        )

    @property
    def digest_parts(self) -> tuple[object, ...]:
        """What is agreed to when the plan is started."""
        who = (self.number, self.employee_id, self.name_here, self.name_there, self.is_there)
        days = [f"{self.limits.first}", f"{self.limits.last}", *self.notes] if self.limits else []
        kept = ("names_kept",) if self.keeps_name else ()
        agreed = (self.names_agreed, self.replaces, *kept)
        return (*who, self.action, *agreed, self.refusal_code, *(self.faces or ()), *days)


@dataclass(frozen=True)
class Plan:
    """The steps in the order of their numbers, `people`, how many the terminal has by its list, and who loses access.

    Taking over days by which somebody may not enter counts at every terminal where that employee is desired, and a face
    in place of the employee's own at those that get it.
    """

    comparison_id: int
    terminal_id: int
    terminal: str
    people: int
    steps: tuple[Step, ...]
    losses: Losses

    @cached_property
    def digest(self) -> str:
        """What names this plan, see services/core/shown.py."""
        return shown.digest(self.comparison_id, [step.digest_parts for step in self.steps if step.action != LEAVE])

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps of each action are possible."""
        possible = Counter(step.action for step in self.steps if not step.refusal)
        return {action: possible[action] for action in ACTIONS}

    @property
    def leavers(self) -> int:
        """How many people the plan takes over as inactive, so that they are removed from the terminal."""
        return sum(1 for step in self.steps if step.comes_in_inactive)

    @property
    def new_faces(self) -> int:
        """How many employees get the face on the terminal in place of their own."""
        return sum(1 for step in self.steps if step.is_new_face)

    @property
    def refused(self) -> tuple[Step, ...]:
        """The steps that are not possible."""
        return tuple(step for step in self.steps if step.refusal)

    def require_agreed(self, agreed: Confirmation) -> None:
        """Refuse to remove people unless an administrator does, and to take access from many who were not confirmed.

        :raises AdministratorNeeded: :raises UnsafePlan: as Losses.require().
        """
        if self.counts[REMOVE] and not agreed.by_admin:
            raise self.losses.refusal
        self.losses.require(agreed)

    @property
    def items(self) -> list[NewItem]:
        """The items of the job that carries the plan out. What is left alone is no item.

        A step that is not possible is an item, too: it fails with its reason.
        """
        return [
            NewItem(step.number, step.employee_id, step.action, step.confirmed.as_json)
            for step in self.steps
            if step.action != LEAVE
        ]

    @property
    def job_params(self) -> dict[str, Any]:
        """The params of that job."""
        return {"comparison": self.comparison_id, "plan": self.digest}


def make(comparison: Comparison, choices: Choices) -> Plan:
    """Return the plan that follows from choices, with the reason for each step that is not possible.

    :raises not_compared: when the comparison is not finished.
    :raises numbers_unknown: when a number is neither here nor there.
    """
    if comparison.state != DONE:
        raise ServiceError("not_compared")
    actions = dict(_chosen(comparison, choices))
    terminal = connection.get_terminal(comparison.terminal_id)
    steps: list[Step] = []
    unknown: list[str] = []
    for compared in queries.iterate_compared(comparison, actions):
        if compared.number in choices.numbers and not (compared.there or compared.employee or compared.is_desired):
            unknown.append(compared.number)
        steps.append(_step(terminal, compared, *actions[compared.number], choices))
    if unknown:
        fields = tuple(sorted({choices.numbers[number] for number in unknown}))
        raise ServiceError("numbers_unknown", fields=fields, numbers=", ".join(sorted(unknown)))
    steps.sort(key=attrgetter("number"))
    gone = sum(1 for step in steps if step.takes_access)
    shut_out = [step.employee_id for step in steps if step.shuts_out]
    losses = losses_of(comparison, gone, shut_out, [step.employee_id for step in steps if step.is_new_face])
    return Plan(comparison.id, terminal.id, terminal.name, comparison.read, tuple(steps), losses)


def losses_of(
    comparison: Comparison, gone: int, shut_out: Sequence[int | None], new_faces: Sequence[int | None]
) -> Losses:
    """Return the losses of access: of `gone` people on this terminal, and of these employees on all their terminals.

    An employee with a new face cannot enter with the old one any more: on this terminal, and where the new one is sent.
    """
    terminal = comparison.terminal
    by_picture = Enrolment.terminal_id.in_(select(Terminal.id).where(Terminal.face_mode == BY_PICTURE))
    pairs = _pairs_of(shut_out) | _pairs_of(new_faces, by_picture)
    pairs |= {(employee_id, terminal.id) for employee_id in new_faces if employee_id}
    here = gone + sum(1 for _, terminal_id in pairs if terminal_id == terminal.id)
    elsewhere = mass_removals.losses_of(pair for pair in pairs if pair[1] != terminal.id).terminals
    terminals = (Loss(terminal.id, terminal.name, here, comparison.read), *elsewhere) if here else elsewhere
    by_name = tuple(sorted(terminals, key=attrgetter("terminal")))
    return Losses(by_name, gone + len({employee_id for employee_id, _ in pairs}))


def removes(job: Job) -> bool:
    """Tell whether a plan's job has anybody left to remove."""
    left = select(JobItem.id).where(JobItem.job_id == job.id, IS_LEFT, JobItem.action == REMOVE)
    return db.session.execute(left.limit(1)).first() is not None


def losing(job: Job) -> Losses:
    """Return who loses access by the items of a plan's job that are left, counted as the plan counted its steps."""
    comparison = queries.find_comparison(job.params["comparison"])
    if comparison is None:
        return Losses()  # So nothing of the plan can be done.
    left = select(JobItem.employee_id, JobItem.action, JobItem.confirmed).where(JobItem.job_id == job.id, IS_LEFT)
    items = [
        (employee_id, action, Confirmed.from_json(confirmed))
        for employee_id, action, confirmed in db.session.execute(left)
    ]
    gone = sum(1 for _, action, item in items if action == REMOVE or item.replaces or item.comes_in_inactive)
    shut_out = [employee_id for employee_id, _, item in items if item.may_take_days]
    return losses_of(comparison, gone, shut_out, [employee_id for employee_id, _, item in items if item.faces])


def _pairs_of(ids: Sequence[int | None], *where: ColumnElement[bool]) -> set[Pair]:
    pairs = set[Pair]()
    for start in range(0, len(ids), queries.AT_ONCE):
        some = Employee.id.in_(ids[start : start + queries.AT_ONCE])
        pairs |= mass_removals.pairs_of(select(Employee.id).where(some), *where)
    return pairs


def _chosen(comparison: Comparison, choices: Choices) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Yield each number with its action, and whether the person agreed that names may differ; the last one counts.

    A person who chooses for a difference of names on a page sees both names. A program may send the name here; to take
    the name and the face there, it must say that it is the same person.
    """
    shown = select(Difference.number).where(*queries.shown(comparison))
    for kind in reversed(KINDS):
        if kind in choices.kinds:
            for number in db.session.execute(shown.where(Difference.kind == kind)).scalars():
                yield number, (choices.kinds[kind], kind == NAME or number in choices.same_person)
    differ = select(Difference.number).where(Difference.comparison_id == comparison.id, Difference.kind == NAME)
    named = set(db.session.execute(differ).scalars()) if choices.numbers else set()
    for number, action in choices.numbers.items():
        seen = number in named and (choices.names_seen or action == SEND)
        yield number, (action, seen or number in choices.same_person)


def _step(terminal: Terminal, compared: ComparedNumber, action: str, names_agreed: bool, choices: Choices) -> Step:
    number, another_face, employee = compared.number, compared.another_face, compared.employee
    face_agreed = number in choices.same_face if choices.names_seen else choices.faces.get(number) == another_face
    refusal = limits = None
    try:
        limits = check(terminal, compared, action, names_agreed, face_agreed=face_agreed)
    except ServiceError as error:
        refusal = refusal_of(error)
    return Step(
        number=number,
        action=action,
        kinds=compared.kinds,
        employee_id=employee.id if employee else None,
        name_here=compared.name_wanted,
        name_there=compared.there.name if compared.there else "",
        is_there=compared.there is not None,
        names_agreed=names_agreed,
        replaces=action == SEND and would_overwrite(compared) and not is_our_face(compared),
        refusal=refusal,
        limits=limits,
        limits_here=Limits(employee.valid_from, employee.valid_to) if limits and employee else None,
        faces=(compared.face_here, another_face) if compared.has_another_face else None,
        keeps_name=action == TAKE_OVER and number in choices.names_kept,
    )


def check(
    terminal: Terminal, compared: ComparedNumber, action: str, names_agreed: bool, *, face_agreed: bool = False
) -> Limits | None:
    """Check that a step is possible, as far as that is known here. The plan and the run ask the same.

    :return: the days of somebody who is taken over.
    :raises ServiceError: with the reason, when it is not.
    """
    if compared.own_number and action in {TAKE_OVER, REMOVE}:
        raise ServiceError("own_number_there", n=compared.number, own=compared.own_number)
    if action == TAKE_OVER:
        return _check_take_over(terminal, compared, names_agreed, face_agreed)
    if action == SEND:
        connection.refuse_before_compared(terminal)
        if terminal.awaits_restore:
            raise ServiceError("not_restored")
        if compared.employee is None:
            raise ServiceError("not_here", n=compared.number)
        _check_employee(compared, names_agreed or not would_overwrite(compared))
    elif action == REMOVE:
        _check_remove(terminal, compared)
    return None


def _check_remove(terminal: Terminal, compared: ComparedNumber) -> None:
    connection.refuse_before_compared(terminal)
    if compared.there is None and not compared.is_desired:
        raise ServiceError("not_there", n=compared.number)
    if not persons.NUMBER.match(compared.number):
        raise ServiceError("number_not_usable", n=compared.number)


def _check_take_over(terminal: Terminal, compared: ComparedNumber, names_agreed: bool, face_agreed: bool) -> Limits:
    there, number, employee = compared.there, compared.number, compared.employee
    if there is None:
        raise ServiceError("not_there", n=number)
    if not text_rules.is_employee_number(number):
        raise ServiceError("number_not_usable", n=number)
    if text_rules.is_blank(there.name) or len(there.name) > MAX_NAME_LENGTH:
        raise ServiceError("name_not_usable", n=number)
    if compared.is_desired and set(compared.kinds) <= {FACE_MISSING, ONLY_HERE}:
        raise ServiceError("nothing_to_take_over", n=number)
    _check_employee(compared, names_agreed or not _has_another_name(compared))
    if there.face_url and consents.is_required() and not (employee and employee.has_consent):
        raise ServiceError("consent_missing")
    if compared.another_face == UNREAD:
        raise ServiceError("face_not_read", n=number)
    if compared.another_face and not face_agreed:
        raise ServiceError("face_differs", n=number)
    return limits_taken(validity_of(there.valid_there), terminal, employee, is_desired=compared.is_desired)


def _check_employee(compared: ComparedNumber, name_is_accepted: bool) -> None:
    """Check that the employee is active, that the number is not leaving with somebody else, and the name there."""
    employee, there = compared.employee, compared.there
    if employee and not employee.is_active:
        raise ServiceError("employee_inactive")
    for owner_id, terminal in compared.leaving:
        if owner_id is None or employee is None or owner_id != employee.id:
            raise ServiceError("number_leaving", n=compared.number, t=terminal)
    if not name_is_accepted:
        there_name = there.name if there else ""
        raise ServiceError("name_differs", n=compared.number, here=compared.name_wanted, there=there_name)


def would_overwrite(compared: ComparedNumber) -> bool:
    """True when sending would put the employee in the place of somebody with another name: see reconcile.py."""
    sent = compared.enrolment.names_sent if compared.enrolment and compared.is_desired else set[str]()
    return _has_another_name(compared) and compared.there is not None and compared.there.name not in sent - {""}


def is_our_face(compared: ComparedNumber) -> bool:
    """True when the picture there is the employee's own face, so a record with another name only needs the name."""
    if compared.there is None or compared.enrolment is None or not compared.there.face_sha256:
        return False
    return compared.there.face_sha256 in {compared.enrolment.face_there, compared.enrolment.photo_sha256}


def _has_another_name(compared: ComparedNumber) -> bool:
    """True when an employee here and somebody there have the number under different names."""
    if compared.there is None or compared.employee is None:
        return False
    ours = {compared.employee.name, compared.employee.terminal_name}
    if compared.is_desired:
        ours.add(compared.name_wanted)
    return compared.there.name not in ours - {""}
