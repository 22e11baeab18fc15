"""Draws the states of enrolments and captures, with the transitions between them, as Mermaid diagrams.

`python -m tests.support.state_diagrams` writes them into docs/*/states.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hikflask.models.capture import QUEUED
from hikflask.models.enrolment import STATES, WAITING
from hikflask.services.state import capture, enrolment

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = tuple(sorted(DOCS.glob("*/states.md")))
FENCE = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)


def enrolments() -> str:
    """The diagram of an enrolment's states; what changes no state is left out."""
    edges = (
        (source, to, name)
        for name, one in vars(enrolment).items()
        if isinstance(one, enrolment.Transition)
        for source, targets in one.moves.items()
        for to in targets
    )
    return _diagram([("[*]", WAITING, "")], edges, {state: place for place, state in enumerate(STATES)})


def captures() -> str:
    """The diagram of a capture's states."""
    edges = (
        (source, one.to, name)
        for name, one in vars(capture).items()
        if isinstance(one, capture.Transition)
        for source in one.sources
    )
    return _diagram([("[*]", QUEUED, "")], edges, {})


def _diagram(
    first: Iterable[tuple[str, str, str]], edges: Iterable[tuple[str, str, str]], places: Mapping[str, int]
) -> str:
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source, to, name in (*first, *edges):
        if source != to:
            names[source, to].append(name)
    in_order = sorted(names, key=lambda edge: (places.get(edge[0], -1), places.get(edge[1], -1)))
    return "".join(("```mermaid\nstateDiagram-v2\n", *_lines(in_order, names), "```\n"))


def _lines(in_order: Iterable[tuple[str, str]], names: Mapping[tuple[str, str], list[str]]) -> Iterator[str]:
    for edge in in_order:
        label = "<br>".join(name for name in names[edge] if name)
        yield f"    {' --> '.join(edge)}{f' : {label}' if label else ''}\n"


def drawn(page: str) -> str:
    """The page with the diagrams as they are now."""
    diagrams = iter((enrolments(), captures()))
    return FENCE.sub(lambda _: next(diagrams), page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(drawn(path.read_text(encoding="utf-8")), encoding="utf-8")
