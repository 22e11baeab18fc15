"""Draws the state diagrams of the guides (Mermaid, which GitHub draws) as SVG: the site needs no script for them."""

import html
import re

FENCE = re.compile(r"```mermaid\nstateDiagram-v2\n(?P<lines>.*?)```\n", re.DOTALL)
ARROW = re.compile(r"^ *(?P<source>\S+) --> (?P<to>\S+)(?: : (?P<label>\w+))?$", re.MULTILINE)
BEGIN = "[*]"
# Where each state is drawn: column and row. The first arrow of a diagram leads to one of its states.
ENROLMENT = {
    **{BEGIN: (1.1, -0.6), "refused": (0.0, 0.0), "waiting": (1.1, 0.0), "confirmed": (2.4, 0.0)},
    **{"removed": (1.1, 1.3), "leaving": (2.4, 1.3)},
}
CAPTURE = {
    **{BEGIN: (1.1, -0.6), "queued": (1.1, 0.0), "waiting": (1.1, 1.1), "captured": (1.1, 2.2), "used": (1.1, 3.3)},
    **{"failed": (0.0, 1.1), "cancelled": (2.5, 0.55), "superseded": (2.5, 2.75)},
}
COLUMN, ROW, HALF_WIDTH, HALF_HEIGHT, MARGIN = 220, 90, 55, 19, 4
Point = tuple[float, float]


def drawn(markdown: str) -> str:
    """The page with its diagrams drawn."""
    return FENCE.sub(lambda found: _svg(found["lines"]), markdown)


def _svg(lines: str) -> str:
    arrows = [arrow.groups() for arrow in ARROW.finditer(lines)]
    states = {state for source, to, _ in arrows for state in (source, to)}
    places = ENROLMENT if states <= set(ENROLMENT) else CAPTURE
    points = {state: (COLUMN * places[state][0], ROW * places[state][1]) for state in states}
    pairs = {(source, to) for source, to, _ in arrows}
    shapes = [_arrow(points, source, to, label, (to, source) in pairs) for source, to, label in arrows]
    shapes += [_state(state, point) for state, point in sorted(points.items())]
    left, top = (min(point[axis] for point in points.values()) for axis in (0, 1))
    right, bottom = (max(point[axis] for point in points.values()) for axis in (0, 1))
    box = (
        left - HALF_WIDTH - MARGIN,
        top - MARGIN - 6,
        right - left + 2 * (HALF_WIDTH + MARGIN),
        bottom - top + HALF_HEIGHT + 2 * MARGIN + 6,
    )
    return (
        f'<div class="states" tabindex="0"><svg viewBox="{" ".join(f"{side:g}" for side in box)}" '
        f'width="{box[2]:g}" height="{box[3]:g}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0.5 8 4 0 7.5z"/></marker></defs>'
        f"{''.join(shapes)}</svg></div>\n"
    )


def _state(name: str, point: Point) -> str:
    x, y = point
    if name == BEGIN:
        return f'<circle cx="{x:g}" cy="{y:g}" r="6"/>'
    return (
        f'<rect x="{x - HALF_WIDTH:g}" y="{y - HALF_HEIGHT:g}" '
        f'width="{2 * HALF_WIDTH}" height="{2 * HALF_HEIGHT}" rx="7"/>'
        f'<text class="state" x="{x:g}" y="{y + 5:g}">{html.escape(name)}</text>'
    )


def _arrow(points: dict[str, Point], source: str, to: str, label: str | None, both_ways: bool) -> str:
    """A line between the edges of two states, beside its middle where another one comes back."""
    (x1, y1), (x2, y2) = points[source], points[to]
    aside = 7 if both_ways else 0
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    across, down = -(y2 - y1) / length * aside, (x2 - x1) / length * aside
    x1, x2, y1, y2 = x1 + across, x2 + across, y1 - down, y2 - down
    share = 0.0 if source == BEGIN else _within(x2 - x1, y2 - y1)
    end = 1 - _within(x2 - x1, y2 - y1)
    a, b, c, d = (
        x1 + (x2 - x1) * share,
        y1 + (y2 - y1) * share,
        x1 + (x2 - x1) * end,
        y1 + (y2 - y1) * end,
    )
    line = f'<path class="arrow" d="M{a:.1f} {b:.1f} {c:.1f} {d:.1f}" marker-end="url(#tip)"/>'
    if not label:
        return line
    beside = 4 if abs(y2 - y1) > 1 else -6 if x2 > x1 else 15
    return f'{line}<text x="{(a + c) / 2:.1f}" y="{(b + d) / 2 + beside:.1f}">{label}</text>'


def _within(across: float, down: float) -> float:
    """How much of a line from the middle of a state is inside of it."""
    sides = [half / abs(way) for half, way in ((HALF_WIDTH, across), (HALF_HEIGHT, down)) if way]
    return min(sides)
