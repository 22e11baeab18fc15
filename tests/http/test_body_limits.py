"""Which request may bring how much, before anything of it is read."""

import pytest
from flask import Flask, request
from werkzeug.exceptions import RequestEntityTooLarge

from hikflask.http import body_limits

LONG = 300_000


@pytest.fixture
def views(app: Flask) -> Flask:
    """The app with two views more: one that takes longer files, one that does not."""
    app.config["MAX_CONTENT_LENGTH"] = LONG - 1
    app.add_url_rule("/long", "long", body_limits.takes(lambda: 10 * LONG)(lambda: ""), methods=["POST"])
    app.add_url_rule("/usual", "usual", lambda: "", methods=["POST"])
    return app


def limit(app: Flask, path: str, kind: str = body_limits.WITH_FILES, *, let_in: bool = True) -> tuple[int | None, bool]:
    """The limit of a long request, and whether it is kept out until its sender is known."""
    with app.test_request_context(
        path, method="POST", content_type=kind, environ_overrides={"CONTENT_LENGTH": str(LONG)}
    ):
        body_limits.limit_body()
        if let_in:
            body_limits.apply_view_limit()
        return request.max_content_length, body_limits.exceeds_limit()


@pytest.mark.new_app
def test_longer_files_are_let_in_by_the_guard_alone(views: Flask) -> None:
    assert limit(views, "/long") == (10 * LONG + body_limits.MAX_FORM_BYTES, False)
    assert limit(views, "/long", let_in=False) == (LONG - 1, True)
    assert limit(views, "/usual") == (LONG - 1, False)


@pytest.mark.new_app
def test_what_brings_no_file_is_no_longer_than_a_form(views: Flask) -> None:
    form = "application/x-www-form-urlencoded"

    assert limit(views, "/long", form) == (body_limits.MAX_FORM_BYTES, True)
    assert limit(views, "/long", "application/octet-stream") == (body_limits.MAX_FORM_BYTES, True)


@pytest.mark.new_app
def test_longer_files_wait_on_the_disk_of_the_instance(views: Flask) -> None:
    with views.test_request_context("/long", method="POST"):
        stream = request._get_file_stream(LONG, "text/csv", "a.csv", LONG)
        assert stream.fileno() >= 0
        stream.close()


def test_body_of_a_call_is_no_longer_than_a_form(app: Flask) -> None:
    with app.test_request_context("/api/users/", method="POST", data=b"a" * LONG), pytest.raises(RequestEntityTooLarge):
        body_limits.read()
