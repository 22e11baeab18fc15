"""The commands of `flask --app wsgi …`: each calls functions of the services and prints the result."""

from flask import Flask

from hikflask.cli import copy_database, employees, imports, operators, secrets, terminals, tokens, workers


def register(app: Flask) -> None:
    """Add the commands to the app."""
    for command in (imports.import_employees, imports.undo_import):
        employees.employees.add_command(command)
    commands = (
        workers.run_worker,
        copy_database.database,
        terminals.terminal,
        employees.employees,
        operators.operator,
        tokens.token,
        secrets.secrets,
    )
    for command in commands:
        app.cli.add_command(command)
