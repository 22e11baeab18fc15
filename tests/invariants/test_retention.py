"""The matrix once more while no photo is kept longer than needed: forgetting changes no end of any step."""

import pytest

from tests.invariants.actions import Actions
from tests.invariants.properties import Properties
from tests.invariants.test_matrix import (
    DIALECT,
    ENROLMENTS,
    GOOD,
    IVAN,
    ONE_OF_EACH,
    after_the_fault,
    by_url,
    captured,
    enrolment,
    expected,
    later,
    set_fault,
)
from tests.invariants.world import World

# What the client copes with by itself changes no more here than it does in the matrix.
CASES = [(name, step, fault) for name, step, fault in ENROLMENTS if name in ONE_OF_EACH and fault not in DIALECT]
on_two_terminals = pytest.mark.parametrize(("world", "step", "fault"), CASES, indirect=["world"])


class ForgettingActions(Actions):
    """The worker forgets after everything that it does, and what is promised is looked at."""

    def settle(self, number: str, app: object = None, *, again: bool = False) -> None:  # noqa: ARG002
        super().settle(number, again=again)
        self.look()

    def sweep(self) -> None:
        super().sweep()
        self.look()

    def look(self) -> None:
        self.properties.check()
        self.forget()
        self.properties.check()


@pytest.fixture
def actions(world: World) -> Actions:
    """Nothing is kept, nothing has happened yet."""
    world.keep_photos("never")
    return ForgettingActions(world, Properties(world))


def has_picture(world: World) -> bool:
    return world.sql("SELECT forgotten_at FROM photo")[0]["forgotten_at"] is None


@on_two_terminals
def test_enrolment_ends_as_it_does_when_photos_are_kept(world: World, actions: Actions, step: str, fault: str) -> None:
    captured(actions)
    set_fault(world, fault, step)
    end = expected(by_url(world), step, fault)

    actions.settle(IVAN)

    assert enrolment(world) == end
    assert has_picture(world) is (end != GOOD)
    after_the_fault(world, actions)
    last = later(by_url(world), step, fault, end)
    assert enrolment(world) == last
    assert has_picture(world) is (last != GOOD)


@on_two_terminals
def test_proof_by_hash_ends_in_the_truth(world: World, actions: Actions, step: str, fault: str) -> None:
    captured(actions)
    actions.settle(IVAN)
    assert (enrolment(world), has_picture(world)) == (GOOD, False)
    set_fault(world, fault, step)

    actions.settle(IVAN, again=True)
    after_the_fault(world, actions)
    actions.try_again(IVAN, replace=False)
    actions.settle(IVAN, again=True)

    assert enrolment(world) == GOOD
