"""Bodies and times of real terminals, kept byte for byte in `recorded/`."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

UNRECORDED_SECONDS = 0.140


@dataclass(frozen=True)
class ErrorRow:
    """One row of the vendor's error table."""

    status_code: int
    error_code: int


@cache
def body(name: str) -> bytes:
    """The recorded body in the file `name`."""
    return resources.files(__package__).joinpath("recorded", name).read_bytes()


@cache
def error_rows() -> dict[str, ErrorRow]:
    """The vendor's error table by subStatusCode."""
    rows = csv.DictReader(body("error_codes.csv").decode().splitlines())
    return {row["subStatusCode"]: ErrorRow(int(row["statusCode"]), int(row["errorCode_dec"])) for row in rows}


@cache
def _seconds() -> dict[tuple[str, str], float]:
    entries = json.loads(body("index.json"))
    return {(entry["method"], urlsplit(entry["path"]).path): entry["elapsed_ms"] / 1000 for entry in entries}


def seconds(method: str, path: str) -> float:
    """How long the seed terminal took to answer `method` on `path` (without query), in seconds."""
    return _seconds().get((method, path), UNRECORDED_SECONDS)
