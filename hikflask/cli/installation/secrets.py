"""`flask --app wsgi secrets …`: change the key that passwords of terminals and second factors are encrypted with."""

import click
from cryptography.fernet import Fernet
from flask.cli import with_appcontext

from hikflask import startup_checks
from hikflask.cli.console import CommandGroup
from hikflask.config import ConfigError
from hikflask.encryption import key_rotation
from hikflask.encryption.vault import GRACE_SECONDS, SETTING, VaultError
from hikflask.extensions import vault

OLDER_KEYS = (
    "The older keys stay in {}: back it up, and in {:.0f} minutes or later forget them with "
    "`flask --app wsgi secrets rotate --drop-old`."
)
GIVEN_KEYS = f"When every process runs with this key first, leave it alone in {SETTING}."
HOW_TO_CHANGE_SETTING = (
    f"The key is given by {SETTING}, so nothing was changed. To change the key:\n"
    f"1. put this new key first, with a comma before the present one: {SETTING}={{}},…\n"
    "2. restart every process with both;\n"
    "3. run `flask --app wsgi secrets rotate` again with both: it encrypts everything with the new key."
)


@click.group(cls=CommandGroup)
def secrets() -> None:
    """Keys of what is stored encrypted."""


@secrets.command("rotate")
@click.option("--drop-old", is_flag=True, help="Make no new key; forget the older ones when nothing needs them.")
@with_appcontext
def rotate_secrets(drop_old: bool) -> None:
    """Encrypt passwords of terminals and second factors with a new key; the app may run meanwhile."""
    keyring = vault.keyring
    if not (drop_old or keyring.file or keyring.count > 1):
        click.echo(HOW_TO_CHANGE_SETTING.format(Fernet.generate_key().decode()))
        return
    try:
        if drop_old:
            count, remark = key_rotation.drop_old(), f"{keyring.source} holds the newest key alone."
        elif keyring.file:
            count, remark = key_rotation.rotate(), OLDER_KEYS.format(keyring.source, GRACE_SECONDS / 60)
        else:
            count, remark = key_rotation.renew(), GIVEN_KEYS
    except VaultError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Secrets encrypted with the newest key: {count}. {remark}")


@secrets.command("check")
@with_appcontext
def check_secrets() -> None:
    """Say whether the keys open what is stored encrypted; fail where they do not."""
    try:
        startup_checks.check_keys()
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    click.echo("The keys open what is stored encrypted.")
