"""The folder in which several processes count together: tests/processes/test_metrics.py lets them do so."""

import stat
from pathlib import Path

import pytest
from flask import Flask

from hikflask.config import ConfigError
from hikflask.metrics.counters import FOLDER, Metrics


def test_folder_is_made_for_this_account_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "metrics"))

    Metrics().init_app(Flask("test"))

    assert stat.S_IMODE((tmp_path / "metrics").stat().st_mode) == 0o700


def test_folder_that_is_none_is_refused_with_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(FOLDER, str(tmp_path / "file"))

    with pytest.raises(ConfigError) as refused:
        Metrics().init_app(Flask("test"))

    assert str(refused.value) == (
        f"The folder {tmp_path}/file is not writable: set PROMETHEUS_MULTIPROC_DIR to a folder that this account owns."
    )
