"""Whose the files are, and what the account that runs this may see: what is hidden from it is not missing."""

import os
import pwd
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

from hikflask.diagnosis import Finding, good, wrong

ROOT = 0


def check(folder: Path, cure: str) -> Generator[Finding, None, bool]:
    """Check that all in a folder belongs to this account, and return whether the account can look into it.

    There is one finding for each other owner, however many files are theirs.

    :param cure: what to do where there is no folder.
    """
    hiding = hidden(folder)
    if hiding or not folder.is_dir():
        yield wrong(hiding or f"There is no folder {folder}: {cure}.")
        return False
    owner = folder.stat().st_uid
    if os.geteuid() == ROOT != owner:
        yield wrong(f"{folder} belongs to {name_of(owner)}, and root runs this: run it as {name_of(owner)}.")
        return True
    foreign: dict[int, str] = {}
    counts = Counter[int]()
    for path, number in _owners(folder):
        if number != os.geteuid():
            foreign.setdefault(number, path)
            counts[number] += 1
    for number, path in foreign.items():
        more = f" and {counts[number] - 1} more" if counts[number] > 1 else ""
        yield wrong(
            f"{path}{more} {'belong' if more else 'belongs'} to {name_of(number)}, and not to {account()}, who runs "
            f"this: run `chown -R {account()}: {folder}` as root."
        )
    if not foreign:
        yield good(f"{folder} and what is in it belong to {account()}.")
    return may(os.R_OK | os.X_OK, folder)


def hidden(path: Path) -> str:
    """Return a sentence about the folder that keeps this account from seeing a path, or nothing."""
    for folder in reversed(Path(os.path.realpath(path)).parents):
        if may(os.X_OK, folder):
            continue
        if not folder.exists():
            return ""
        return (
            f"{account()} cannot see {path}, as {folder} belongs to {name_of(folder.stat().st_uid)} and is closed to "
            f"others: run `chmod o+x {folder}` as root, or move what is in it."
        )
    return ""


def may(do: int, path: Path) -> bool:
    """Tell whether this account may do what os.R_OK and its like stand for."""
    return os.access(path, do, effective_ids=True)


def account() -> str:
    """Return the name of the account that runs this."""
    return name_of(os.geteuid())


def name_of(number: int) -> str:
    """Return the name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _owners(folder: Path | str) -> Iterator[tuple[str, int]]:
    """Yield the owner of a folder and of all in it; what is deleted meanwhile, or cannot be listed, is left out."""
    yield str(folder), os.stat(folder).st_uid
    entries: list[os.DirEntry[str]] = []
    with suppress(OSError):
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    for entry in entries:
        with suppress(FileNotFoundError):
            if entry.is_dir(follow_symlinks=False):
                yield from _owners(entry.path)
            else:
                yield entry.path, entry.stat(follow_symlinks=False).st_uid
