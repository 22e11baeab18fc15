"""Commands of `flask --app wsgi …`; each is a shell around a plain function."""

from flask import Flask

from hikflask.cli import secrets, terminals, workers


def register(app: Flask) -> None:
    """Add the commands to the app."""
    for command in (workers.run_worker, terminals.terminal, secrets.secrets):
        app.cli.add_command(command)
