"""A full disk: how full the disks of the current app are, and what becomes of a write that finds no space."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app

from hikflask import disk_space
from hikflask.disk_space import DATA, Disk
from hikflask.services.core.errors import ServiceError

log = logging.getLogger(__name__)
NO_SPACE = "no_space"


def disks() -> list[Disk]:
    """Return the disks that the current app writes to."""
    return disk_space.read(_folder())


def explain(error: BaseException) -> str:
    """Return in a sentence for the log that there is no space left, where an error says so, else an empty text."""
    return disk_space.explain(error, _folder(), disk_space.TEMPORARY)


def refusal_of(error: BaseException) -> ServiceError | None:
    """Return the refusal of what found no space, with its place, and log it; None where an error says anything else."""
    if not (why := explain(error)):
        return None
    log.error("%s", why)
    return ServiceError(NO_SPACE, place=disk_space.place(error, _folder(), disk_space.TEMPORARY))


def full_disk() -> Disk | None:
    """Return the disk of the instance folder when it is full, else None."""
    return next((disk for disk in disks() if disk.place == DATA and disk.is_full), None)


def refuse_on_full_disk() -> None:
    """Refuse what failed for an unknown reason while the disk is full. :raises no_space:"""
    if disk := full_disk():
        log.error("%s", disk_space.describe(disk))
        raise ServiceError(NO_SPACE, place=str(disk.folder))


@contextmanager
def refused() -> Iterator[None]:
    """Refuse what writes a file within the block when there is no space left.

    :raises no_space: in place of the OSError that says so; any other OSError passes.
    """
    try:
        yield
    except OSError as error:
        if refusal := refusal_of(error):
            raise refusal from error
        raise


@contextmanager
def ignored() -> Iterator[None]:
    """Do without what is written within the block when there is no space left: reading must work all the same."""
    try:
        yield
    except disk_space.ERRORS as error:
        if not (why := explain(error)):
            raise
        log.info("not written: %s", why)


def _folder() -> Path:
    return Path(current_app.config["INSTANCE_PATH"])
