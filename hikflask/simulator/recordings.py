"""Recorded answers of real terminals and the times they took: the files in `recorded/`, byte for byte."""

import json
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

UNRECORDED_SECONDS = 0.140
"""The time of a request that was not recorded."""


@cache
def body(name: str) -> bytes:
    """The recorded body in the file `name`."""
    return resources.files(__package__).joinpath("recorded", name).read_bytes()


@cache
def _seconds() -> dict[tuple[str, str], float]:
    entries = json.loads(body("index.json"))
    return {(entry["method"], urlsplit(entry["path"]).path): entry["elapsed_ms"] / 1000 for entry in entries}


def seconds(method: str, path: str) -> float:
    """The seconds that the seed terminal took to answer `method` on `path` (without query)."""
    return _seconds().get((method, path), UNRECORDED_SECONDS)
