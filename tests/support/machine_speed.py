"""A plugin of pytest: says how long the tests took beside work that is the same on each machine (`make test`)."""

import hashlib
import os
import sqlite3
import time

import pytest

STARTED = time.monotonic()
# About a second on the machine on which it was written.
ROUNDS = 350


def loop(rounds: int = ROUNDS) -> float:
    """Do what tests spend most of their time with: Python itself, rows in SQLite, hashes; return the seconds."""
    begin = time.perf_counter()
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE word (number INTEGER PRIMARY KEY, word TEXT)")
    for _ in range(rounds):
        words = {str(number): number * number for number in range(5_000)}
        database.executemany("INSERT INTO word (word) VALUES (?)", [(word,) for word in list(words)[:500]])
        database.execute("SELECT max(word) FROM word WHERE number % 7 = 0").fetchone()
        hashlib.sha256(" ".join(words).encode() * 10).digest()
    database.close()
    return time.perf_counter() - begin


def sentence(seconds: float, loop_seconds: float, processors: int) -> str:
    """Say the time of the tests, in seconds and in loops."""
    return (
        f"Tests: {seconds:.0f} s on {processors} processors. This machine's loop (Python, SQLite, SHA-256; "
        f"tests/support/machine_speed.py): {loop_seconds:.2f} s. Tests: {seconds / loop_seconds:.0f} loops."
    )


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Measure when the processes of pytest-xdist have ended; they themselves have no terminal."""
    seconds = time.monotonic() - STARTED
    terminalreporter.write_line(sentence(seconds, loop(), len(os.sched_getaffinity(0))))
