"""Another account than the tests' own, for what an account may see."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be the account `nobody` within the block; root alone can."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
