"""The photos: whether the file of each is there."""

from collections.abc import Iterator

from hikflask.diagnosis import Finding, good, wrong
from hikflask.services.photos import lost_files, storage

MAX_NAMES = 3


def check() -> Iterator[Finding]:
    """Check that the file of each photo is there. Needs an app context, and a database that can be used."""
    lost, count = lost_files.find()
    folder = storage.folder()
    if not lost:
        yield good(f"The files of all {count} photos are in {folder}.")
        return
    more = f" and {len(lost) - MAX_NAMES} more" if len(lost) > MAX_NAMES else ""
    yield wrong(
        f"The files of {len(lost)} of {count} photos are missing in {folder} "
        f"({', '.join(row.file for row in lost[:MAX_NAMES])}{more}): mount the disk that they are on, or put them back "
        "with `hikflask restore --photos FILE`, where FILE is the last backup that has them; take the others anew."
    )
