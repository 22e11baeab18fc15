"""From what people chose to the steps of a plan. The dry run is the same code as the run: each step is checked by it.

A plan comes from a finished comparison alone. One that would remove many people is refused until a person types their
number, as in a dry run of other tools for plans.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hikflask.models.comparison import Comparison

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
    "validity": (SEND, TAKE_OVER, LEAVE),
}
# More removals than this, or than this part of the terminal's people, need their number typed.
MOST_REMOVALS = 20
MOST_PART = 0.1


@dataclass(frozen=True)
class Choices:
    """What a person chose: an action for a number, or for all shown differences of a kind.

    The choice for a number comes before that for its kind. `same_person` are numbers of which the person confirmed
    that the other name there is the same person's.
    """

    numbers: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    same_person: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """What is done for one number. `refusal` is the code of the sentence why it is not possible, "" when it is."""

    number: str
    action: str
    kinds: tuple[str, ...]
    employee_id: int | None
    name_here: str
    name_there: str
    refusal: str = ""
    refusal_params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The steps in the order of their numbers, and `people`, how many the terminal has by the comparison."""

    comparison_id: int
    terminal_id: int
    people: int
    steps: tuple[Step, ...]

    @property
    def removals(self) -> int:
        """How many people the plan removes from the terminal."""
        raise NotImplementedError

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps of each action are possible."""
        raise NotImplementedError

    @property
    def refused(self) -> tuple[Step, ...]:
        """The steps that are not possible."""
        raise NotImplementedError

    @property
    def is_unsafe(self) -> bool:
        """True when the number of removals must be typed."""
        raise NotImplementedError

    def require_confirmed(self, confirm: int | None) -> None:
        """Refuse an unsafe plan, unless the number of its removals is confirmed.

        :raises UnsafePlan: with the number of removals.
        """
        raise NotImplementedError


def make(comparison: Comparison, choices: Choices) -> Plan:
    """Return the plan that follows from choices, with the reason for each step that is not possible.

    :raises NotCompared: when the comparison is not finished.
    :raises NumbersUnknown: when a number is neither here nor there.
    """
    raise NotImplementedError


def items(plan: Plan) -> list[tuple[str, int | None, str]]:
    """Return the items of the job that carries the plan out: number, employee, action. LEAVE is no item."""
    raise NotImplementedError


def chosen(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the action of each number from pairs of action and number; the last one counts."""
    raise NotImplementedError
