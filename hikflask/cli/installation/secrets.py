"""`flask --app wsgi secrets …`: change the key that passwords of terminals and second factors are encrypted with."""

import click
from cryptography.fernet import Fernet
from flask.cli import with_appcontext

from hikflask.cli.database import DatabaseGroup
from hikflask.encryption import key_rotation
from hikflask.encryption.vault import GRACE_SECONDS, SETTING, VaultError
from hikflask.extensions import vault
from hikflask.services import audit


@click.group(cls=DatabaseGroup)
def secrets() -> None:
    """Keys of what is stored encrypted."""


@secrets.command("rotate")
@click.option("--drop-old", is_flag=True, help="Make no new key; forget the older ones when nothing needs them.")
@with_appcontext
def rotate_secrets(drop_old: bool) -> None:
    """Encrypt passwords of terminals and second factors with a new key; the app may run meanwhile."""
    try:
        with audit.acting(audit.COMMAND_LINE):
            click.echo(_done(drop_old))
    except VaultError as error:
        raise click.ClickException(str(error)) from error


def _done(drop_old: bool) -> str:
    keyring = vault.keyring
    if drop_old:
        return f"{_secrets(key_rotation.drop_old())}. {keyring.source} holds the newest key alone."
    if keyring.file is None:
        return _with_given_keys()
    return (
        f"{_secrets(key_rotation.rotate())}. The older keys stay in {keyring.source}: back it up, and in "
        f"{GRACE_SECONDS / 60:.0f} minutes or later forget them with `flask --app wsgi secrets rotate --drop-old`."
    )


def _with_given_keys() -> str:
    """Encrypt with the new key when a person has put one into the setting; otherwise say how to do that."""
    if vault.keyring.count > 1:
        return (
            f"{_secrets(key_rotation.renew())}. When every process runs with this key first, "
            f"leave it alone in {SETTING}."
        )
    key = Fernet.generate_key().decode()
    return (
        f"The key is given by {SETTING}, so nothing was changed. To change the key:\n"
        f"1. put this new key first, with a comma before the present one: {SETTING}={key},…\n"
        "2. restart every process with both;\n"
        "3. run `flask --app wsgi secrets rotate` again with both: it encrypts everything with the new key."
    )


def _secrets(count: int) -> str:
    return f"Secrets encrypted with the newest key: {count}"
