"""A folder that keeps others out, for what is said of paths that an account may not see."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that root alone may enter, in one that all may."""
    with TemporaryDirectory(dir="/tmp") as made:
        yield Path(made)
