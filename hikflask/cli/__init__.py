"""The commands of `flask --app wsgi …`: each calls functions of the services and prints the result."""

from flask import Flask

from hikflask.cli import employees, operators, secrets, terminals, tokens, workers


def register(app: Flask) -> None:
    """Add the commands to the app."""
    commands = (
        workers.run_worker,
        terminals.terminal,
        employees.employees,
        operators.operator,
        tokens.token,
        secrets.secrets,
    )
    for command in commands:
        app.cli.add_command(command)
