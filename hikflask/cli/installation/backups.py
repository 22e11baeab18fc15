"""`flask --app wsgi backup` and `restore`: one file with everything, and the way back."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

from hikflask import config, startup_checks
from hikflask.cli.console import read_password
from hikflask.services.backups import BackupError, create, restore
from hikflask.services.photos import lost_files

MAX_NAMES = 10
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)
FROM_STDIN = "Read the keys' passphrase from standard input, instead of asking for it."


class PhotosMissing(click.ClickException):
    """The backup was made, without some photos."""

    exit_code = 3


@click.command("backup")
@click.argument("file", type=FILE, required=False)
@click.option("--into", type=FOLDER, help="Make a file named after the time in this folder, instead of FILE.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    help="With --into: keep so many of these files, the newest; else HIKFLASK_BACKUP_KEEP (14).",
)
@click.option("--with-keys", is_flag=True, help="Back up the keys, too, encrypted under a passphrase.")
@click.option("--passphrase-stdin", is_flag=True, help=FROM_STDIN)
@with_appcontext
def backup(file: Path | None, into: Path | None, keep: int | None, with_keys: bool, passphrase_stdin: bool) -> None:
    """Back up the database and the photos to FILE, while everything runs."""
    if (file is None) == (into is None) or (keep is not None and into is None):
        raise click.UsageError("Give FILE, or --into FOLDER, which --keep is for.")
    if passphrase_stdin and not with_keys:
        raise click.UsageError("--passphrase-stdin is for --with-keys.")
    passphrase = read_password(passphrase_stdin, "Passphrase", twice=True) if with_keys else None
    try:
        if into:
            path, manifest = create.create_in(into, keep or current_app.config["BACKUP_KEEP"], passphrase)
        else:
            path = file or Path()
            manifest = create.create(path, passphrase)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(startup_checks.unusable(error)) from error
    rows, photos, missing = sum(manifest.rows.values()), len(manifest.photos), manifest.missing
    click.echo(f"{path}: {rows} rows, {photos} photos, {'with' if with_keys else 'without'} keys.")
    if missing:
        more = f" and {len(missing) - MAX_NAMES} more" if len(missing) > MAX_NAMES else ""
        raise PhotosMissing(
            f"The files of {len(missing)} photos are missing, so they are not in this backup: "
            f"{', '.join(missing[:MAX_NAMES])}{more}. Put them back with `{config.COMMAND} restore --photos FILE`, "
            "where FILE is the last backup that has them, and take the others anew."
        )


def _put_photos_back(file: Path) -> None:
    try:
        count = restore.put_photos_back(file)
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except (OperationalError, ProgrammingError) as error:
        raise click.ClickException(startup_checks.unusable(error)) from error
    lost, _count = lost_files.find()
    click.echo(f"Photos put back: {count}. Photos whose files are still missing: {len(lost)}.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Prove that FILE is whole and fits; change nothing.")
@click.option("--photos", "only_photos", is_flag=True, help="Put back the photos alone whose files are missing here.")
@click.option("--passphrase-stdin", is_flag=True, help="Restore the keys, too: read their passphrase from stdin.")
@click.option("--without-key", is_flag=True, help="Restore also when no key opens the terminals' passwords.")
@with_appcontext
def restore_backup(file: Path, only_check: bool, only_photos: bool, passphrase_stdin: bool, without_key: bool) -> None:
    """Restore FILE into this installation, which must be stopped and empty (save for --photos)."""
    if only_photos:
        _put_photos_back(file)
        return
    passphrase = read_password(from_stdin=True) if passphrase_stdin else None
    try:
        if only_check:
            manifest, fits = restore.check(file, passphrase)
        else:
            manifest, fits = restore.restore(file, passphrase, without_key=without_key), True
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    missing = f", {len(manifest.missing)} photos were missing" if manifest.missing else ""
    click.echo(
        f"Backup of {manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC, {manifest.database}, revision {manifest.revision}: "
        f"{sum(manifest.rows.values())} rows, {len(manifest.photos)} photos{missing}, "
        f"{'with' if manifest.has_keys else 'without'} keys."
    )
    if only_check:
        click.echo("The backup is whole. Nothing was changed.")
        if not fits:
            click.echo("No key here opens the terminals' passwords in it: its keys and their passphrase are needed.")
        return
    click.echo(
        "Restored. Start the service. Nothing is written to a terminal before it was compared and an administrator "
        "allowed it on its page."
    )
