"""Draws the states of enrolments and captures: the usual way as Mermaid diagrams, all transitions as tables below them.

`python -m tests.support.state_diagrams` writes them into docs/*/states.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, SUPERSEDED, USED
from hikflask.models.capture import WAITING as WAITING_CAPTURE
from hikflask.models.enrolment import CONFIRMED, LEAVING, REFUSED, REMOVED, STATES, WAITING
from hikflask.services.state import capture, enrolment

Edge = tuple[str, str]
DOCS = Path(__file__).resolve().parents[2] / "docs"
CAPTURE_STATES = (QUEUED, WAITING_CAPTURE, CAPTURED, USED, FAILED, CANCELLED, SUPERSEDED)
PAGES = tuple(sorted(DOCS.glob("*/states.md")))
# A diagram, and the table below it without its head, which is in the language of the page.
DRAWN = re.compile(r"```mermaid\n.*?```\n\n(?P<head>\|[^\n]*\n\|[-|]+\n)(?:\|[^\n]*\n)*", re.DOTALL)
# With all arrows, of which there are nearly as many as pairs of states, a diagram would show nothing.
USUAL_ENROLMENTS = {
    (WAITING, CONFIRMED): "CONFIRMED_WITH_FACE",
    (CONFIRMED, WAITING): "DESIRED_PRESENT",
    (WAITING, REFUSED): "ENDED",
    (REFUSED, WAITING): "RETRIED",
    (CONFIRMED, LEAVING): "DESIRED_ABSENT",
    (LEAVING, REMOVED): "GONE",
    (REMOVED, WAITING): "DESIRED_PRESENT",
}
USUAL_CAPTURES = {
    (QUEUED, WAITING_CAPTURE): "BEGUN",
    (WAITING_CAPTURE, CAPTURED): "TAKEN",
    (CAPTURED, USED): "SAVED",
    (QUEUED, FAILED): "NOT_BEGUN",
    (WAITING_CAPTURE, FAILED): "FAILURE",
    (CAPTURED, FAILED): "EXPIRED",
    (QUEUED, CANCELLED): "CANCELLATION",
    (WAITING_CAPTURE, CANCELLED): "CANCELLATION",
    (CAPTURED, SUPERSEDED): "TAKEN_OVER",
    (USED, SUPERSEDED): "OVERWRITTEN_BEFORE_BINDING",
}


def enrolments() -> dict[Edge, list[str]]:
    """The transitions of an enrolment between each two states."""
    return _between(
        STATES,
        (
            (source, to, name)
            for name, one in vars(enrolment).items()
            if isinstance(one, enrolment.Transition)
            for source, targets in one.moves.items()
            for to in targets
        ),
    )


def captures() -> dict[Edge, list[str]]:
    """The transitions of a capture between each two states."""
    return _between(
        CAPTURE_STATES,
        (
            (source, one.to, name)
            for name, one in vars(capture).items()
            if isinstance(one, capture.Transition)
            for source in one.sources
        ),
    )


def _between(states: Sequence[str], transitions: Iterable[tuple[str, str, str]]) -> dict[Edge, list[str]]:
    """What changes no state is left out."""
    names: dict[Edge, list[str]] = defaultdict(list)
    for source, to, name in transitions:
        if source != to:
            names[source, to].append(name)
    return {edge: names[edge] for edge in sorted(names, key=lambda edge: [states.index(state) for state in edge])}


def _diagram(first: str, usual: Mapping[Edge, str]) -> str:
    lines = [f"[*] --> {first}", *(f"{source} --> {to} : {name}" for (source, to), name in usual.items())]
    return "".join(("```mermaid\nstateDiagram-v2\n", *(f"    {line}\n" for line in lines), "```\n\n"))


def _rows(edges: Mapping[Edge, Sequence[str]]) -> str:
    return "".join(
        f"| `{source}` | `{to}` | {' '.join(f'`{name}`' for name in names)} |\n"
        for (source, to), names in edges.items()
    )


def drawn(page: str) -> str:
    """The page with the diagrams and tables as they are now."""
    pictures = iter(
        (
            (_diagram(WAITING, USUAL_ENROLMENTS), _rows(enrolments())),
            (_diagram(QUEUED, USUAL_CAPTURES), _rows(captures())),
        )
    )

    def draw(found: re.Match[str]) -> str:
        diagram, rows = next(pictures)
        return f"{diagram}{found['head']}{rows}"

    return DRAWN.sub(draw, page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(drawn(path.read_text(encoding="utf-8")), encoding="utf-8")
