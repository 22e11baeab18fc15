"""The limit of requests that wait on terminals: a share for each caller, and never more than all slots."""

import runpy
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from hikflask.config import SETTINGS
from hikflask.http.terminal_concurrency import ConcurrencyLimit
from hikflask.services.core.errors import ServiceError

ROOT = Path(__file__).parents[2]


def test_caller_has_a_share_and_others_have_theirs() -> None:
    limit = ConcurrencyLimit(threads=10, each=2)
    with limit.slot("API door"), limit.slot("API door"):
        with pytest.raises(ServiceError, match=r"^too_many_calls$"), limit.slot("API door"):
            pass
        with limit.slot("Анна"):
            pass


def test_no_more_wait_than_there_are_places() -> None:
    limit = ConcurrencyLimit(threads=2, each=2)
    with (
        limit.slot("API door"),
        limit.slot("Анна"),
        pytest.raises(ServiceError, match=r"^server_busy$"),
        limit.slot("Пётр"),
    ):
        pass


def test_place_is_free_again_when_the_request_has_ended_or_failed() -> None:
    limit = ConcurrencyLimit(threads=1, each=1)

    with pytest.raises(ZeroDivisionError), limit.slot("Анна"):
        raise ZeroDivisionError
    for _ in range(3):
        with limit.slot("Анна"):
            pass


def test_refused_request_takes_no_place() -> None:
    limit = ConcurrencyLimit(threads=1, each=1)
    with limit.slot("Анна"), pytest.raises(ServiceError, match=r"^too_many_calls$"), limit.slot("Анна"):
        pass

    with limit.slot("Анна"):
        pass


def test_threads_that_come_at_once_get_no_more_than_the_share() -> None:
    limit = ConcurrencyLimit(threads=8, each=5)
    start, end = threading.Barrier(40), threading.Event()
    got_in: list[bool] = []
    all_tried = threading.Barrier(41)

    def come() -> None:
        start.wait()
        with ExitStack() as stack:
            try:
                stack.enter_context(limit.slot("API door"))
                got_in.append(True)
            except ServiceError:
                got_in.append(False)
            all_tried.wait()
            end.wait()

    threads = [threading.Thread(target=come) for _ in range(40)]
    for thread in threads:
        thread.start()
    all_tried.wait()
    end.set()
    for thread in threads:
        thread.join()

    assert got_in.count(True) == 5


@pytest.mark.parametrize("places", ["", "40"])
def test_gunicorn_has_threads_for_pages_beside_all_places(monkeypatch: pytest.MonkeyPatch, places: str) -> None:
    monkeypatch.delenv("HIKFLASK_THREADS", raising=False)
    monkeypatch.delenv("HIKFLASK_TERMINAL_THREADS", raising=False)
    if places:
        monkeypatch.setenv("HIKFLASK_TERMINAL_THREADS", places)

    threads = runpy.run_path(str(ROOT / "deploy/gunicorn.conf.py"))["threads"]

    assert threads == 12 + int(places or SETTINGS["TERMINAL_THREADS"].default)


def test_one_caller_cannot_take_all_places_by_default() -> None:
    assert SETTINGS["TERMINAL_CALLS"].default < SETTINGS["TERMINAL_THREADS"].default
