"""The app that the tests of a process share is for each of them as create_app() makes it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from hikflask import create_app
from hikflask.extensions import metrics
from hikflask.http.permissions import public
from tests.support.apps import Apps, close

STATES = ("metrics", "vault", "terminal_clients", "terminal_concurrency", "task_queue")


def facts(app: Flask) -> dict[str, Any]:
    """What a test can see of an app before its first request."""
    folder, stored = Path(app.instance_path), app.extensions["stored_settings"]
    with app.app_context():
        counted = [metric.samples for metric in metrics.counted.registry().collect()]
    return {
        "settings": {name: value for name, value in app.config.items() if name not in {"SECRET_KEY", "PASSWORD_KEY"}},
        "stored": (stored.texts, stored.defaults),
        "views": {name: view.__qualname__ for name, view in app.view_functions.items()},
        "before": [hook.__qualname__ for hook in app.before_request_funcs[None]],
        "after": [hook.__qualname__ for hook in app.after_request_funcs[None]],
        "rules": sorted(map(repr, app.url_map.iter_rules())),
        "extensions": sorted(app.extensions),
        "files": {path.name: oct(path.stat().st_mode) for path in folder.iterdir()},
        "counted": counted,
    }


def use(app: Flask) -> None:
    """Do to an app what tests do."""
    app.config.update(TIMEZONE="Asia/Yekaterinburg", GONE=True)
    app.extensions["stored_settings"].texts["CAPTURE_HOLD"] = "60"
    app.view_functions["health.show"] = public(lambda: "changed")
    app.before_request_funcs[None].append(lambda: None)
    app.after_request_funcs[None].clear()
    app.test_client().get("/health")
    (Path(app.instance_path) / "password_key").unlink()
    with pytest.raises(AssertionError, match="already handled its first request"):
        app.add_url_rule("/new", "new", lambda: "")


def test_next_test_finds_it_as_new(tmp_path: Path) -> None:
    given = {"TESTING": True, "INSTANCE_PATH": str(tmp_path / "instance")}
    expected = facts(create_app(given))
    shutil.rmtree(tmp_path / "instance")
    apps = Apps()
    app = apps.get(given)
    assert facts(app) == expected
    key, states = app.config["PASSWORD_KEY"], [app.extensions[name] for name in STATES]
    use(app)
    close(app)
    shutil.rmtree(tmp_path / "instance")
    (tmp_path / "instance").mkdir(mode=0o700)

    again = apps.get(given)

    assert again is app
    assert facts(again) == expected
    assert again.config["PASSWORD_KEY"] == (tmp_path / "instance/password_key").read_text().strip() == key
    assert [again.extensions[name] is state for name, state in zip(STATES, states, strict=True)] == [False] * 5
    assert apps.get({**given, "INSTANCE_PATH": str(tmp_path / "other")}) is not app
