"""The log as lines or as JSON, at the level that is set, from the app, from gunicorn and from its first line on."""

import errno
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hikflask import logging_setup
from tests.support.disk_usage import let_be_free

ROOT = Path(__file__).parents[1]
# As gunicorn runs it: the master reads its settings, then a process makes the app.
SAYS = """
import logging, runpy, sys
from gunicorn.config import Config
from gunicorn.glogging import Logger

Logger(Config())
settings = runpy.run_path("deploy/gunicorn.conf.py")
settings.get("on_starting", lambda server: None)(None)
logging.getLogger("gunicorn.error").warning("said by the server: %s", "Ё")

from hikflask import create_app, request_id

app = create_app({"INSTANCE_PATH": sys.argv[1], "WORKER": "external"})
with request_id.working_for("3fa9c1d2e4b6"):
    logging.getLogger("hikflask.background.tasks").info("said to whoever asks\\x9b\\u2028")
    try:
        raise RuntimeError("Ё")
    except RuntimeError:
        logging.getLogger("huey.consumer").exception("failed")
"""


def said(folder: Path, **settings: str) -> list[str]:
    """The lines that are logged under these settings."""
    given = {f"HIKFLASK_{name}": value for name, value in settings.items()}
    environment = {**os.environ, "PYTHONPATH": ".", **given}
    command = [sys.executable, "-c", SAYS, str(folder)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": "."},
    )
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_with_the_id_of_the_request(tmp_path: Path) -> None:
    server, asked, failed = (json.loads(line) for line in said(tmp_path, LOG_FORMAT="json", LOG_LEVEL="info"))

    assert (server["logger"], server["level"]) == ("gunicorn.error", "warning")
    assert server["message"] == "said by the server: Ё"
    assert "request_id" not in server
    assert asked["message"].startswith("said to whoever asks")
    assert (asked["level"], asked["request_id"]) == ("info", "3fa9c1d2e4b6")
    assert datetime.now(UTC) - datetime.fromisoformat(asked["time"]) < timedelta(minutes=5)
    assert (failed["level"], failed["message"], failed["request_id"]) == ("error", "failed", "3fa9c1d2e4b6")
    assert failed["exception"].startswith("Traceback (most recent call last):\n")
    assert failed["exception"].endswith("RuntimeError: Ё")


def test_lines_are_the_default_and_end_with_the_id_of_the_request(tmp_path: Path) -> None:
    server, failed = said(tmp_path)

    assert server.endswith("said by the server: Ё")
    assert failed.startswith("failed\\nTraceback (most recent call last):\\n")
    assert failed.endswith("RuntimeError: Ё [request 3fa9c1d2e4b6]")


def test_full_disk_is_a_sentence_in_place_of_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let_be_free(monkeypatch, 4096)
    sentence = f"the sweep failed: No space left where {tmp_path} is: 4,096 of 107,374,182,400 bytes are free. "
    sentence += "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."

    def logged(error: Exception) -> list[str]:
        about = (type(error), error, None)
        record = logging.LogRecord("hikflask", logging.ERROR, "worker.py", 1, "the %s failed", ("sweep",), about)
        as_json = json.loads(logging_setup.OneObject(None, tmp_path).format(record))
        return [logging_setup.OneLine(None, tmp_path).format(record), as_json["message"], as_json.get("exception", "")]

    assert logged(OSError(errno.ENOSPC, "No space left on device")) == [sentence, sentence, ""]
    line, message, exception = logged(OSError(errno.EACCES, "Permission denied"))
    assert line == "the sweep failed\\nPermissionError: [Errno 13] Permission denied"
    assert (message, exception) == ("the sweep failed", "PermissionError: [Errno 13] Permission denied")
