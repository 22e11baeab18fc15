"""What people type and read at a terminal window: names, passwords, tables.

A password is never an argument, since everybody sees arguments in the list of processes.
"""

import sys
from collections.abc import Sequence
from datetime import datetime

import click

from hikflask import text_rules

GAP = "  "


def read_password(from_stdin: bool, prompt: str = "Password", *, twice: bool = False) -> str:
    """Return a password from standard input, or ask for it, once or twice, without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice))


def checked_name(name: str) -> str:
    """Return the name of an operator or token without spaces around it.

    :raises click.ClickException: when it is empty, too long or has control characters.
    """
    name = name.strip()
    if not name or len(name) > text_rules.MAX_ACCOUNT_LENGTH or any(map(text_rules.is_invisible, name)):
        raise click.ClickException(
            f"NAME must be 1 to {text_rules.MAX_ACCOUNT_LENGTH} characters, without control characters."
        )
    return name


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows as lines below their head, with aligned columns."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def moment(at: datetime | None) -> str:
    """Return a moment in UTC, or "never"."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else "never"
