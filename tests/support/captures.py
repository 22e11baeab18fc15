"""A face that a terminal took, for somebody or for nobody yet."""

from hikflask.models import Capture, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw

FACE, OTHER_FACE, THIRD_FACE = (draw(name) for name in NAMES[:3])
IVAN = Draft("100222", "Иван Иванов", "Охрана")
OLGA = Draft("100333", "Ольга Ёлкина")


def capture_face(
    simulator: Simulated,
    terminal: Terminal,
    draft: Draft = IVAN,
    face: bytes = FACE,
    *,
    employee_id: int | None = None,
    take_over: bool = True,
) -> Capture:
    """Show the face to the terminal and capture it, as the operator Анна."""
    simulator.present_alone(face)
    started = start_capture(terminal.id, draft, "Анна", employee_id=employee_id, take_over=take_over)
    taken = run_capture(started.id)
    assert taken.state == CAPTURED, taken.refusal_code
    return taken
