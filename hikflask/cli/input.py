"""What people type: names as arguments, passwords never, since everybody sees arguments in the list of processes."""

import sys

import click

from hikflask import invisible_characters
from hikflask.forms.fields import LONGEST_NAME


def read_password(from_stdin: bool) -> str:
    """Return a password from standard input, or ask for it without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True))


def checked_name(name: str) -> str:
    """Return the name of an operator or token without spaces around it.

    :raises click.ClickException: when it is empty, too long or has control characters.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or any(map(invisible_characters.is_invisible, name)):
        raise click.ClickException(f"NAME must be 1 to {LONGEST_NAME} characters, without control characters.")
    return name
