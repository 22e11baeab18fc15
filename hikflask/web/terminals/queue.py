"""The queue of a terminal, as people can read it: its beginning on the terminal's page, and all of it on its own."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow
from hikflask.services.attention import terminal_queue
from hikflask.services.terminals import connection
from hikflask.web.support import htmx
from hikflask.web.support.pagination import ROWS
from hikflask.web.terminals.terminals import FIRST_ROWS, bp, terminal_or_404


@bp.get("/<int:terminal_id>/queue")
@allow(VIEWER)
def queue(terminal_id: int) -> ResponseReturnValue:
    """What a terminal does now, and what waits for it, page by page."""
    return render_template("terminals/queue.html", **_known(terminal_id, ROWS))


@bp.get("/<int:terminal_id>/queue/state")
@allow(VIEWER, is_activity=False)
def queue_state(terminal_id: int) -> ResponseReturnValue:
    """The part that polls: of the queue's page, or with `?first=1` of the terminal's page."""
    first = "first" in request.args
    known = _known(terminal_id, FIRST_ROWS if first else ROWS)
    return htmx.with_bar(render_template("terminals/_queue.html", first=first, **known))


def _known(terminal_id: int, limit: int) -> dict[str, Any]:
    terminal, after = terminal_or_404(terminal_id), request.args.get("after", "")
    found = terminal_queue.queue_of(terminal, limit, terminal_queue.place_of(after))
    known = {"terminal": terminal, "queue": found, "after": after}
    return known | {"locked_minutes": connection.locked_minutes(terminal)}
