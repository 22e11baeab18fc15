"""`hikflask …`, and `python -m hikflask …`: the commands of `flask --app wsgi …` under the program's own name."""

from importlib import import_module

import click
from flask import Flask
from flask.cli import FlaskGroup

from hikflask.version import VERSION


def load() -> Flask:
    """Return the app that `flask --app wsgi` and gunicorn load, too."""
    app: Flask = import_module("wsgi").app
    return app


@click.group(
    cls=FlaskGroup,
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
