"""The id of the request that a thread works for."""

import pytest
from flask import Flask, Response

from hikflask import request_id


def test_block_works_for_a_request_and_ends_with_it() -> None:
    assert request_id.current() == ""
    with request_id.working_for("a"):
        with request_id.working_for(""):
            assert request_id.current() == ""
        assert request_id.current() == "a"
    assert request_id.current() == ""


@pytest.mark.new_app
def test_each_request_has_its_own_and_leaves_none_behind(app: Flask) -> None:
    seen: list[str] = []

    @app.after_request
    def see(response: Response) -> Response:
        seen.append(request_id.current())
        return response

    for _ in range(2):
        app.test_client().get("/health")

    assert len(set(seen)) == 2
    assert all(len(one) == 12 for one in seen)
    assert request_id.current() == ""
