"""The matrix once more while no photo is kept longer than needed: forgetting changes no end of any step."""

import pytest

from hikflask.simulator.terminal.faults import KINDS
from tests.invariants.actions import Deeds
from tests.invariants.properties import Truths
from tests.invariants.test_matrix import (
    GOOD,
    IVAN,
    after_the_fault,
    by_url,
    captured,
    enrolment,
    expected,
    later,
    set_fault,
)
from tests.invariants.world import World

STEPS = ["person", "picture", "face", "proof"]
two_terminals = pytest.mark.parametrize("world", ["K1T343EFWX", "K1T342MX-E1"], indirect=True)


class ForgettingDeeds(Deeds):
    """The worker forgets after everything that it does, and what is promised is looked at."""

    def settle(self, number: str, app: object = None, *, again: bool = False) -> None:  # noqa: ARG002
        super().settle(number, again=again)
        self.look()

    def sweep(self) -> None:
        super().sweep()
        self.look()

    def look(self) -> None:
        self.truths.check()
        self.forget()
        self.truths.check()


@pytest.fixture
def deeds(world: World) -> Deeds:
    """Nothing is kept, nothing has happened yet."""
    world.keep_photos("never")
    return ForgettingDeeds(world, Truths(world))


def has_picture(world: World) -> bool:
    return world.sql("SELECT forgotten_at FROM photo")[0]["forgotten_at"] is None


@two_terminals
@pytest.mark.parametrize("fault", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_enrolment_ends_as_it_does_when_photos_are_kept(world: World, deeds: Deeds, step: str, fault: str) -> None:
    captured(deeds)
    set_fault(world, fault, step)
    end = expected(by_url(world), step, fault)

    deeds.settle(IVAN)

    assert enrolment(world) == end
    assert has_picture(world) is (end != GOOD)
    after_the_fault(world, deeds)
    last = later(by_url(world), step, fault, end)
    assert enrolment(world) == last
    assert has_picture(world) is (last != GOOD)


@two_terminals
@pytest.mark.parametrize("fault", KINDS)
@pytest.mark.parametrize("step", STEPS)
def test_proof_by_hash_ends_in_the_truth(world: World, deeds: Deeds, step: str, fault: str) -> None:
    captured(deeds)
    deeds.settle(IVAN)
    assert (enrolment(world), has_picture(world)) == (GOOD, False)
    set_fault(world, fault, step)

    deeds.settle(IVAN, again=True)
    after_the_fault(world, deeds)
    deeds.try_again(IVAN, replace=False)
    deeds.settle(IVAN, again=True)

    assert enrolment(world) == GOOD
