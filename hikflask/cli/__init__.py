"""The commands of `flask --app wsgi …`: each calls functions of the services and prints the result."""

from flask import Flask

from hikflask.cli import employees, imports, operators, terminals, tokens, webhooks
from hikflask.cli.installation import backups, copy_database, doctor, init, secrets, serving, workers


def register(app: Flask) -> None:
    """Add the commands to the app."""
    for command in (imports.import_employees, imports.undo_import):
        employees.employees.add_command(command)
    commands = (
        serving.serve,
        serving.ask_ready,
        workers.run_worker,
        init.initialise,
        doctor.examine,
        copy_database.database,
        secrets.secrets,
        backups.backup,
        backups.restore_backup,
        terminals.terminal,
        employees.employees,
        operators.operator,
        tokens.token,
        webhooks.webhook,
    )
    for command in commands:
        app.cli.add_command(command)
