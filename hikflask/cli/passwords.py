"""Secrets come from standard input, never from an argument, which others see in the list of processes."""

import sys

import click


def read_password(from_stdin: bool) -> str:
    """Read a password from standard input, or ask for it without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True))
