"""The terminal as a WSGI application: ISAPI and pictures behind Digest, its screen on `/` without."""

from flask import Flask, Response, request

from hikflask.simulator.http.middleware import handle
from hikflask.simulator.isapi.routes import METHODS, view_for
from hikflask.simulator.screen.views import create_screen
from hikflask.simulator.terminal.terminal import Terminal


def create_simulator(terminal: Terminal) -> Flask:
    """Make the application of one terminal."""
    app = create_isapi(terminal)
    app.register_blueprint(create_screen(terminal))
    return app


def create_isapi(terminal: Terminal) -> Flask:
    """Make the application of a terminal without a screen."""
    app = Flask(__name__, static_folder=None)
    # A lost answer has to come out of the application as AnswerLost, not as a page with status 500.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False

    def answer(**_path: str) -> Response:
        return handle(terminal, view_for(request.method, request.path))

    # Two rules and a table: a rule of Flask's for every path and method takes most of a short test's time.
    for root in ("ISAPI", "LOCALS"):
        app.add_url_rule(f"/{root}/<path:path>", root, answer, methods=METHODS, provide_automatic_options=False)
    return app
