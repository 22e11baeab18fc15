"""`hikflask …`, and `python -m hikflask …`: the commands of `flask --app wsgi …` under the program's own name."""

import os
from importlib import import_module

import click
from flask import Flask
from flask.cli import FlaskGroup, ScriptInfo

from hikflask import create_app
from hikflask.version import VERSION

DOCTOR = "doctor"


class Commands(FlaskGroup):
    """The commands of the app. `doctor` makes the app itself, since it also says why there can be none."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command."""
        if name != DOCTOR:
            return super().get_command(ctx, name)
        ctx.obj = ScriptInfo(create_app=load_or_raise, set_debug_flag=False)
        command: click.Command = import_module("hikflask.cli.installation.doctor").examine
        return command


def load_or_raise() -> Flask:
    """Return the app as wsgi.py makes it for a command. :raises ConfigError: where it ends the process."""
    os.umask(0o077)
    return create_app()


def load() -> Flask:
    """Return the app that `flask --app wsgi` and gunicorn load, too."""
    app: Flask = import_module("wsgi").app
    return app


@click.group(
    cls=Commands,
    create_app=load,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
    set_debug_flag=False,
)
@click.version_option(VERSION, message="hikflask %(version)s")
def main() -> None:
    """Enrol employees on Hikvision face terminals. Settings are environment variables: HIKFLASK_…"""


# Flask's own options choose another app or its debugger: nothing for who runs this one.
main.params = [option for option in main.params if option.name == "version"]

if __name__ == "__main__":
    main(prog_name="hikflask")
