"""Two operators, three employees, one or two terminals, and everything that can come between: never the wrong face."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.invariants.actions import NUMBERS, Actions
from tests.invariants.conftest import PROFILE
from tests.invariants.properties import Properties
from tests.invariants.world import World

RECORD, SEARCH, MODIFY = "UserInfo/Record", "UserInfo/Search", "UserInfo/Modify"
SET_UP, PICTURE, FACE_OFF = "FDSetUp", "/LOCALS/pic/*", "FDSearch/Delete"
DELETE, PROCESS, CAPTURE = "UserInfoDetail/Delete", "DeleteProcess", "CaptureFaceData"
PATHS = (SET_UP, RECORD, SEARCH, PICTURE, MODIFY, DELETE, PROCESS, FACE_OFF, CAPTURE)

ENROLS = (RECORD, SEARCH, SET_UP, PICTURE)

FAULTS = (
    *((name, "", path) for path in PATHS for name in ("lost-before", "lost-after")),
    *(("ok-without-effect", "", path) for path in (RECORD, MODIFY, SET_UP, DELETE, FACE_OFF)),
    *(("refuse", "deviceBusy", path) for path in (RECORD, SEARCH, SET_UP, DELETE, FACE_OFF)),
    *(("refuse", "notSupport", path) for path in (DELETE, FACE_OFF, CAPTURE)),
    *(("restart", "", path) for path in (RECORD, SET_UP, SEARCH)),
    ("refuse", "SubpicAnalysisModelingError", SET_UP),
    ("refuse", "deviceUserFull", RECORD),
    ("refuse", "deviceFaceFull", SET_UP),
    ("busy", "", ""),
    ("nobody", "", ""),
    ("low-quality", "", ""),
    ("removal-fails", "", ""),
    ("drop", "", ""),
    ("refusals-as-200", "", ""),
    ("locked", "", "*"),
)
MIDDLES = (
    *((moment, "kill", path) for path in PATHS for moment in ("before", "after")),
    *(("after", "late", path) for path in PATHS),
    *((moment, "leave", path) for path in (RECORD, SET_UP, SEARCH) for moment in ("before", "after")),
    *((moment, "rename", path) for path in (RECORD, SET_UP, SEARCH) for moment in ("before", "after")),
    *((moment, "capture elsewhere", SET_UP) for moment in ("before", "after")),
    *((moment, "capture elsewhere", PICTURE) for moment in ("before", "after")),
    *((moment, "restart", path) for path in (SET_UP, PICTURE) for moment in ("before", "after")),
    *(("after", "delete", path) for path in (RECORD, SET_UP, SEARCH)),
    *(("after", "password", path) for path in (RECORD, PICTURE, SET_UP, DELETE)),
    *(("before", "remove", path) for path in (SET_UP, SEARCH)),
    ("after", "face", SET_UP),
)

HANDS = ("add", "other name", "face", "rights", "remove", "no face")
SMALL = (
    *("queue", "run", "cancel", "send", "try again", "replace", "come back", "correct password", "time", "leases"),
    *("capture elsewhere", "restart", "days", *HANDS),
)

Trouble = tuple[str, str, str]


def troubles(*paths: str) -> st.SearchStrategy[list[Trouble]]:
    """What may go wrong with requests to these paths, most of all to the first: nothing, or up to two things."""
    possible = [trouble for trouble in FAULTS + MIDDLES if trouble[2] in {*paths, "", "*"}]
    at_the_heart = [trouble for trouble in possible if trouble[2] == paths[0]]
    return st.lists(st.one_of(st.sampled_from(at_the_heart), st.sampled_from(possible)), max_size=2)


numbers = st.sampled_from(NUMBERS[:2])
operators = st.integers(0, 1)
sides = st.integers(0, 1)


class Interleavings(RuleBasedStateMachine):
    """Any order of actions; after each one everything that is promised is looked at."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        world.reset()
        self.properties = Properties(world)
        self.actions = Actions(world, self.properties)
        self.striking = False

    def terminal(self, side: int) -> int:
        """Return a terminal's id."""
        return 1 + side % len(self.world.simulated)

    def last_capture(self, back: int) -> int | None:
        """Return one of the last captures."""
        found = self.world.sql("SELECT id FROM capture ORDER BY id DESC LIMIT 1 OFFSET ?", back)
        return found[0]["id"] if found else None

    def arm(self, what: list[Trouble], number: str, terminal_id: int) -> None:
        """Let things go wrong, each once, at the first request that it is meant for."""
        simulated = self.world.simulated[terminal_id - 1]
        simulated.clear_hooks()
        for kind, action, path in what:
            if kind in {"before", "after"}:
                strike = self._once(action, number, terminal_id)
                (simulated.before if kind == "before" else simulated.after)(path, strike)
            else:
                simulated.faults.add(kind, action, path=path, times=1)

    def _once(self, action: str, number: str, terminal_id: int) -> Callable[[], None]:
        left = [action]

        def strike() -> None:
            if left and not self.striking:  # what comes between is not interrupted itself
                self.striking = True
                try:
                    self.actions.in_between(left.pop(), number, terminal_id)
                finally:
                    self.striking = False

        return strike

    @initialize(number=numbers, enrolled=st.booleans())
    def begin(self, number: str, enrolled: bool) -> None:
        """Somebody is enrolled already, or nobody is."""
        if enrolled:
            self.enrol(0, number, 0, [])

    @rule(who=operators, number=numbers, side=sides, trouble=troubles(SET_UP, *ENROLS, FACE_OFF))
    def enrol(self, who: int, number: str, side: int, trouble: list[Trouble]) -> None:
        terminal_id = self.terminal(side)
        capture_id = self.actions.capture(who, number, terminal_id, take_over=True)
        if capture_id:
            self.actions.save_capture(capture_id)
            self.arm(trouble, number, terminal_id)
            self.actions.settle(number)

    @rule(who=operators, number=numbers, side=sides, take_over=st.booleans(), trouble=troubles(CAPTURE, PICTURE))
    def capture(self, who: int, number: str, side: int, take_over: bool, trouble: list[Trouble]) -> None:
        self.arm(trouble, number, self.terminal(side))
        self.actions.capture(who, number, self.terminal(side), take_over)

    @rule(back=st.integers(0, 2), twice=st.booleans())
    def save(self, back: int, twice: bool) -> None:
        capture_id = self.last_capture(back)
        for _ in range(1 + twice):
            if capture_id:
                self.actions.save_capture(capture_id)

    @rule(number=numbers, other=numbers, back=st.integers(0, 1))
    def save_under_another_number(self, number: str, other: str, back: int) -> None:
        self.actions.renumber(number, other, self.last_capture(back))

    @rule(number=numbers, valid_to=st.sampled_from(("", "2036-06-30")), trouble=troubles(MODIFY, RECORD, SEARCH))
    def rename(self, number: str, valid_to: str, trouble: list[Trouble]) -> None:
        self.actions.rename(number, valid_to=valid_to)
        self.arm(trouble, number, 1)
        self.actions.settle(number)

    @rule(who=operators, number=numbers, side=sides, overwrite=st.booleans(), trouble=troubles(*PATHS))
    def sync(self, who: int, number: str, side: int, overwrite: bool, trouble: list[Trouble]) -> None:
        self.arm(trouble, number, self.terminal(side))
        self.actions.sync(who, number, self.terminal(side), overwrite)

    @rule(number=numbers, side=sides, again=st.booleans(), trouble=troubles(*PATHS))
    def settle(self, number: str, side: int, again: bool, trouble: list[Trouble]) -> None:
        self.arm(trouble, number, self.terminal(side))
        self.actions.settle(number, again=again)

    @rule(number=numbers, side=sides, late=st.booleans(), trouble=troubles(*PATHS))
    def sweep(self, number: str, side: int, late: bool, trouble: list[Trouble]) -> None:
        self.arm(trouble, number, self.terminal(side))
        if late:
            self.world.end_leases()
        self.world.make_due()
        self.actions.sweep()

    @rule(number=numbers, trouble=troubles(DELETE, PROCESS, SEARCH), for_good=st.booleans())
    def leave(self, number: str, trouble: list[Trouble], for_good: bool) -> None:
        if for_good:
            self.actions.delete(number)
        else:
            self.actions.set_active(number, False)
        self.arm(trouble, number, 1)
        self.actions.settle(number)

    @rule(action=st.sampled_from(SMALL), number=numbers, side=sides)
    def something(self, action: str, number: str, side: int) -> None:
        """One of the small things, all of them as likely together as a capture."""
        terminal_id = self.terminal(side)
        actions: dict[str, Callable[[], object]] = {
            "queue": lambda: self.actions.capture(side, number, terminal_id, False, queue_only=True),
            "run": self.actions.run_queued,
            "cancel": self.actions.cancel,
            "send": lambda: self.actions.send(number, terminal_id),
            "try again": lambda: self.actions.try_again(number, replace=False),
            "replace": lambda: self.actions.try_again(number, replace=True),
            "come back": lambda: self.actions.set_active(number, active=True),
            "correct password": lambda: self.actions.correct_password(terminal_id),
            "time": self.world.let_time_pass,
            "leases": self.world.end_leases,
            "capture elsewhere": lambda: self.actions.in_between(action, number, terminal_id),
            "restart": lambda: self.actions.in_between(action, number, terminal_id),
            "days": self.actions.let_days_pass,
        }
        actions.get(action, lambda: self.actions.hand(action, number, terminal_id))()

    @invariant()
    def nothing_is_untrue(self) -> None:
        self.world.tick()
        self.properties.check()

    def teardown(self) -> None:
        """When all trouble has ended, every wish does."""
        self.actions.end_all_trouble()
        self.properties.check()
        self.properties.check_end()


class ForgettingInterleavings(Interleavings):
    """The same while no photo is kept longer than needed, and the worker forgets after each action."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        world.keep_photos("never")

    @invariant()
    def nothing_is_untrue_of_what_is_forgotten(self) -> None:
        self.properties.check()
        self.actions.forget()
        self.properties.check()


@pytest.mark.parametrize("world", ["K1T343EFWX K1T342MX-E1"], indirect=True)
def test_nothing_is_ever_green_that_is_not_true_though_photos_are_forgotten(world: World) -> None:
    run_state_machine_as_test(
        lambda: ForgettingInterleavings(world),  # type: ignore[arg-type]
        settings=settings.get_profile(PROFILE),
    )


@pytest.mark.parametrize("world", ["K1T343EFWX", "K1T673DX K1T343EFWX"], indirect=True)
def test_nothing_is_ever_green_that_is_not_true(world: World) -> None:
    run_state_machine_as_test(
        lambda: Interleavings(world),  # type: ignore[arg-type]
        settings=settings.get_profile(PROFILE),
    )
