"""How full the disk is, as the program reads it."""

from types import SimpleNamespace

import pytest

from hikflask import disk_space

GIGABYTE = 1024**3


def let_be_free(patch: pytest.MonkeyPatch, free: int, size: int = 100 * GIGABYTE) -> None:
    """Let so many bytes be free on every disk."""
    usage = SimpleNamespace(total=size, free=free)
    patch.setattr(disk_space, "shutil", SimpleNamespace(disk_usage=lambda _: usage))
