"""A small disk in memory, that tests fill to its last byte."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 40
BLOCK = 4096


class SmallDisk:
    """The disk: a folder on it, and a file that takes what is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rest = folder / "rest"

    def fill(self, *, leave: int = 0) -> None:
        """Take all space but so many bytes."""
        with self._rest.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), max(BLOCK, self.free - leave))

    def empty(self) -> None:
        """Give it back."""
        self._rest.unlink(missing_ok=True)

    @property
    def free(self) -> int:
        """How many bytes are free."""
        return shutil.disk_usage(self.folder).free


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount a disk on this folder. :raises OSError: with the reason, where this machine lets nobody do so."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "tmpfs", str(folder)]
    done = subprocess.run(mount, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
