"""A plan makes terminal and database equal, except what was left alone, for any two sets of people and any choices."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Comparison, Enrolment, Job, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PENDING
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import APPLY
from hikflask.services.changes.run import run_slice
from hikflask.services.comparisons import ignored, plan, queries
from hikflask.services.comparisons.plan import Choices
from hikflask.services.core import heartbeat
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.invariants.conftest import profile
from tests.support.apps import close
from tests.support.captures import FACE, OTHER_FACE
from tests.support.comparisons import compare, desire_with_photo, differences
from tests.support.due import claim_due
from tests.support.refusals import refusal
from tests.support.wire import InProcess

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("app")]

EXAMPLES = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
FACES = (None, FACE, OTHER_FACE)
NAMES = ("Иван Иванов", "Ольга Ёлкина")
# The calendar's last day is no limit.
LAST_DAYS = ("2037-12-31", "2030-06-30")


@dataclass(frozen=True)
class Person:
    """Somebody here or there: a name, a face, and the last day."""

    name: int
    face: int
    last_day: int

    @property
    def picture(self) -> bytes | None:
        """The JPEG of the face."""
        return FACES[self.face]


people = st.dictionaries(
    st.sampled_from(["1", "2", "3", "4", "5"]),
    st.builds(Person, name=st.integers(0, 1), face=st.integers(0, 2), last_day=st.integers(0, 1)),
    max_size=5,
)
actions = st.lists(st.integers(0, 3), min_size=10, max_size=10)


@pytest.fixture(scope="module")
def world(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Simulated]]:
    """An app with one terminal that takes pictures."""
    folder = tmp_path_factory.mktemp("comparisons")
    (folder / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external"})
    simulator = Simulated(PASSWORD, clock=SkippingClock(), profile=profile("K1T342MFX-E1"))
    simulator.store.deletion_polls = 0
    wire = InProcess()
    wire.put(HOST, simulator)
    app.extensions["terminal_transport"] = wire
    with app.app_context():
        registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD))
        checks.check(1, "test")
        heartbeat.beat("test")
        yield app, simulator
    close(app)


@pytest.fixture
def app(world: tuple[Flask, Simulated]) -> Flask:
    return world[0]


@pytest.fixture
def simulator(world: tuple[Flask, Simulated]) -> Simulated:
    return world[1]


def terminal() -> Terminal:
    found = registry.find_terminal(1)
    assert found is not None
    db.session.commit()
    return found


def begin(simulator: Simulated, here: dict[str, Person], there: dict[str, Person]) -> None:
    """Let the terminal have confirmed those who are here, and then have the others."""
    for table in reversed(db.metadata.sorted_tables):
        if table.name not in {"terminal", "heartbeat", "audit", "employee_count"}:
            db.session.execute(table.delete())
    db.session.commit()
    simulator.people.clear()
    simulator.faces.clear()
    for number, person in here.items():
        _confirmed(number, person)
    for number, person in there.items():
        simulator.store.add(number, {"name": NAMES[person.name]})
        simulator.people[number]["Valid"] |= {"endTime": f"{LAST_DAYS[person.last_day]}T23:59:59"}
        if person.picture:
            simulator.store.bind(number, person.picture)


def _confirmed(number: str, person: Person) -> None:
    draft = Draft(number, NAMES[person.name], valid_to=LAST_DAYS[1] if person.last_day else "")
    valid = f"2000-01-01T00:00:00/{LAST_DAYS[person.last_day]}T23:59:59"
    sent = valid if person.last_day else ""
    shown: dict[str, Any] = {
        "written_name": draft.name,
        "valid_there": valid,
        "confirmed_at": database_now(-60.0),
        "sent_valid": sent,
    }
    if person.picture:
        enrolment, transition = desire_with_photo(terminal(), draft, person.picture), state.CONFIRMED_WITH_FACE
    else:
        employee = save_employee(draft).row
        enrolment, transition = state.create_present(1, employee, None), state.PERSON_CONFIRMED
        shown |= {"face": PENDING, "refusal": refusal("no_photo")}
    given = {name: value for name, value in shown.items() if name in transition.given}
    assert state.apply(transition, Enrolment.id == enrolment.id, **given) == 1
    earlier = db.update(Enrolment).where(Enrolment.id == enrolment.id)
    db.session.execute(earlier.values(valid_there=valid, confirmed_at=shown["confirmed_at"]))
    db.session.commit()


def choose(comparison: Comparison, chosen: list[int]) -> dict[str, str]:
    """Choose one of the possible actions for each number that differs; leave alone those for which that is chosen."""
    kinds: dict[str, list[str]] = {}
    for kind, numbers in queries.numbers(comparison).items():
        for number in numbers:
            kinds.setdefault(number, []).append(kind)
    actions = {}
    for place, (number, found) in enumerate(sorted(kinds.items())):
        possible = [action for action in plan.ACTIONS if any(action in plan.POSSIBLE[kind] for kind in found)]
        actions[number] = possible[chosen[place] % len(possible)]
        if actions[number] == plan.LEAVE:
            assert all([ignored.ignore(comparison, kind, [number], "так надо") for kind in found])
    return actions


def carry_out(comparison: Comparison, actions: dict[str, str], *, deaths: bool) -> None:
    """Let the worker carry the plan out; with `deaths` it is killed after each item, and another one goes on."""
    made = plan.make(comparison, Choices(numbers=actions, same_person=frozenset(actions), same_face=frozenset(actions)))
    assert made.refused == ()
    claim = lifecycle.begin(APPLY, made.job_params, terminal_id=1, items=made.items)
    for _ in range(100):
        run_slice(claim, 0.0 if deaths else 60.0)
        reconcile_all()
        again = _claimed_again()
        if again is None:
            return
        run_slice(claim, 60.0)  # A killed worker that comes back late does nothing.
        claim = again
    raise AssertionError("the job does not end")


def _claimed_again() -> lifecycle.Claim | None:
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0), attempts=0))
    db.session.commit()
    return next(iter(lifecycle.claim_orphans()), None)


def reconcile_all() -> None:
    """Do everything that is due at the terminal."""
    for enrolment_id in claim_due():
        try:
            reconcile(enrolment_id, "Анна")
        except ServiceError:
            db.session.rollback()


def on_it(simulator: Simulated) -> dict[str, tuple[object, str, bytes | None]]:
    """Who is on the terminal: name, validity and face."""
    return {
        number: (
            person["name"],
            str(person["Valid"]),
            simulator.faces[number].jpeg if number in simulator.faces else None,
        )
        for number, person in simulator.people.items()
    }


@EXAMPLES
@given(here=people, there=people, chosen=actions, deaths=st.booleans())
def test_plan_makes_terminal_and_database_equal(
    simulator: Simulated, here: dict[str, Person], there: dict[str, Person], chosen: list[int], deaths: bool
) -> None:
    begin(simulator, here, there)
    first, before = compare(terminal()), on_it(simulator)
    actions = choose(first, chosen)

    carry_out(first, actions, deaths=deaths)

    assert differences(compare(terminal())) == {}
    after = on_it(simulator)
    for number in {*before, *after}:
        action = actions.get(number, plan.LEAVE)
        if action in {plan.LEAVE, plan.TAKE_OVER}:
            was, now = before.get(number), after.get(number)
            if action == plan.TAKE_OVER and was and now and not was[2] and number in here:
                # Name and days are taken over. The face that is missing there is sent, since it is desired.
                was = (*was[:2], here[number].picture)
            assert now == was, f"{number} was changed, though it was to be {action}"
        elif action == plan.REMOVE:
            assert number not in after
    assert db.session.query(Photo).filter(Photo.forgotten_at.is_not(None)).count() == 0


@EXAMPLES
@given(here=people, there=people, chosen=actions)
def test_interrupted_plan_ends_as_one_that_was_not(
    simulator: Simulated, here: dict[str, Person], there: dict[str, Person], chosen: list[int]
) -> None:
    ends = []
    for deaths in (False, True):
        begin(simulator, here, there)
        first = compare(terminal())
        carry_out(first, choose(first, chosen), deaths=deaths)
        ends.append((on_it(simulator), _states()))

    assert ends[0] == ends[1]


def _states() -> list[tuple[str, str, str, str]]:
    rows = db.session.execute(
        db.select(Enrolment.number, Enrolment.desired, Enrolment.person, Enrolment.face).order_by(Enrolment.number)
    )
    found = [(row.number, row.desired, row.person, row.face) for row in rows]
    db.session.commit()
    return found
