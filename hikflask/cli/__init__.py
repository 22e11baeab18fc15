"""The commands of `flask --app wsgi …`: each calls functions of the services and prints the result.

The module of a command is loaded when the command is used. A process that serves needs none of them, nor Alembic.
"""

from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

from hikflask import config
from hikflask.extensions import db

COMMANDS = {
    "serve": "hikflask.cli.installation.serving:serve",
    "ready": "hikflask.cli.installation.serving:ask_ready",
    "worker": "hikflask.cli.installation.serving:run_worker",
    "init": "hikflask.cli.installation.databases:initialise",
    "doctor": "hikflask.cli.installation.doctor:examine",
    "database": "hikflask.cli.installation.databases:database",
    "secrets": "hikflask.cli.installation.secrets:secrets",
    "backup": "hikflask.cli.installation.backups:backup",
    "restore": "hikflask.cli.installation.backups:restore_backup",
    "terminal": "hikflask.cli.terminals:terminal",
    "cards": "hikflask.cli.cards:cards",
    "employees": "hikflask.cli.employees:employees",
    "operator": "hikflask.cli.operators:operator",
    "token": "hikflask.cli.tokens:token",
    "webhook": "hikflask.cli.webhooks:webhook",
    "passages": "hikflask.cli.passages:passages",
    "db": "flask_migrate.cli:db",
}


class Commands(AppGroup):
    """The commands of the app by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


class Migrations:
    """Stands for Flask-Migrate among the app's extensions, and is replaced by it as soon as it is used."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> object:
        """Load Flask-Migrate, and return what it has."""
        migrate = import_module("flask_migrate").Migrate()
        migrate.init_app(self._app, db, directory=str(config.SHIPPED / "migrations"))
        return getattr(self._app.extensions["migrate"], name)


def register(app: Flask) -> None:
    """Add the commands to the app."""
    app.cli = Commands(app.name)
    app.extensions["migrate"] = Migrations(app)
