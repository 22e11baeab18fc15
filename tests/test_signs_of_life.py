"""A thread of the worker that hangs is noticed within two minutes; one whose work lasts long and goes on never is."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import event

from hikflask import signs_of_life
from hikflask.extensions import db
from hikflask.isapi import device
from hikflask.models import Terminal
from hikflask.models.job import DONE
from hikflask.services.changes.kinds import DEPARTMENT
from hikflask.services.changes.run import run_to_end
from hikflask.services.photos.inspection import PhotoInspectors
from hikflask.services.privacy import secure_delete
from hikflask.services.spreadsheets import reader_process
from hikflask.services.spreadsheets.reader_process import Layout
from hikflask.services.terminals import connection
from hikflask.signs_of_life import signs
from tests.support.jobs import add_people, job, started
from tests.support.watched import Watched
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context")
LONG, HOUR = signs_of_life.SECONDS - 1, 3600.0


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """This thread, which the worker watches."""
    return Watched(monkeypatch)


def test_silent_thread_hangs_within_two_minutes_also_one_that_waits_for_a_face_as_long_as_is_usual(
    watched: Watched,
) -> None:
    for seconds, silence in ((0.0, 90.0), (30.0, 120.0)):
        signs.goes_on(seconds)
        watched.wait(silence - 0.1)
        watched.wait(0.1)

    assert watched.found == [False, True] * 2


def test_only_living_threads_that_are_watched_hang(watched: Watched) -> None:
    for give_sign in (signs.watch, signs.goes_on):
        ended = threading.Thread(target=give_sign)
        ended.start()
        ended.join()
    watched.pass_by(HOUR)
    signs.goes_on()

    assert signs.silent() == []


def test_process_that_was_paused_goes_on_also_where_nobody_had_looked_before(watched: Watched) -> None:
    others = signs_of_life.Signs()
    others.watch()
    watched.now += HOUR
    assert others.silent() == []
    watched.wait(LONG)
    watched.wait(1.0)

    assert watched.found == [False, True]


def test_job_of_many_that_goes_on_does_not_hang(watched: Watched) -> None:
    def take_long(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE job_item"):
            watched.wait(LONG)

    claim = started(DEPARTMENT, add_people("1", "2", "3"), department="Охрана")
    event.listen(db.engine, "before_cursor_execute", take_long)
    try:
        run_to_end(claim)
    finally:
        event.remove(db.engine, "before_cursor_execute", take_long)

    assert job(claim.job_id).state == DONE
    assert watched.found == [False] * 3


def test_conversation_with_a_terminal_each_of_whose_answers_comes_in_time_does_not_hang(
    app: Flask, terminal: Terminal, wire: InProcess, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = wire.send

    def answer_late(request: requests.PreparedRequest, *, timeout: tuple[float, float], **_: Any) -> requests.Response:
        watched.wait(sum(timeout) - 0.1)
        return answer(request)

    monkeypatch.setattr(wire, "send", answer_late)
    app.config["READ_TIMEOUT"] = 300.0
    with connection.converse(terminal.id, "test", "check") as conversation:
        for _ in range(3):
            device.info(conversation)

    assert watched.found == [False] * 3


@pytest.mark.child_processes
def test_table_that_is_long_read_by_its_process_does_not_hang(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reader:
        """The process that reads a table, and needs minutes for each line."""

        def __init__(self, *_: object, **__: object) -> None:
            self.stdout = self._lines()

        def _lines(self) -> Iterator[bytes]:
            for line in range(1, 4):
                watched.wait(4 * reader_process.READ_SECONDS)
                yield json.dumps([line, ["1"], [], False, [], 0]).encode()

        def wait(self) -> int:
            """Return that all is well."""
            return 0

        def kill(self) -> None:
            """It has ended already."""

        communicate = kill

    monkeypatch.setattr(subprocess, "Popen", Reader)
    table = tmp_path / "table.csv"
    table.touch()
    rows = 0
    for _ in reader_process.read(table, Layout("csv", columns=["ID"])):
        rows += 1
        watched.wait(LONG)
        signs.goes_on()

    assert (rows, watched.found) == (2, [False] * 5)


def test_photos_of_an_import_that_wait_for_those_of_others_do_not_hang(app: Flask, watched: Watched) -> None:
    def wait_for_turn(_: object, number: int) -> int:
        taken.wait(10)
        taken.clear()
        watched.wait(app.config["UPLOAD_WAIT"] * 11)
        return number

    taken = threading.Event()
    taken.set()
    with closing(PhotoInspectors()) as inspectors:
        for _ in inspectors.map(wait_for_turn, (1, 2)):
            watched.wait(LONG)
            signs.goes_on()
            taken.set()

    assert watched.found == [False] * 4


def test_nobody_hangs_while_the_databases_files_are_written_anew(watched: Watched) -> None:
    def take_long(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("VACUUM"):
            watched.wait(HOUR)

    def wait() -> None:
        signs.watch()
        begun.set()
        over.wait(30)

    begun, over = threading.Event(), threading.Event()
    waiting = threading.Thread(target=wait)
    waiting.start()
    begun.wait(30)
    event.listen(db.engine, "before_cursor_execute", take_long)
    try:
        assert secure_delete.overwrite_deleted()
    finally:
        event.remove(db.engine, "before_cursor_execute", take_long)
    watched.wait(LONG)
    signs.goes_on()
    watched.wait(2.0)
    over.set()
    waiting.join()

    assert watched.found == [False, False, True]
