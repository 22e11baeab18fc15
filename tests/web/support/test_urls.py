"""Where a page goes on to after a form: never to another server."""

import pytest
from flask import Flask
from werkzeug.routing import RequestRedirect

from hikflask.web.support import urls

ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "evil",
    "",
    "/a\\b",
    "/a b",
    "/a\n",
    "javascript:x",
]


def test_path_of_this_server_is_gone_on_to(app: Flask) -> None:
    for wanted in ["/", "/employees/1?q=a", "/terminals/"]:
        with app.test_request_context("/sign-in", query_string={"next": wanted}):
            assert urls.next_or("/else") == wanted


def test_any_other_address_is_not(app: Flask) -> None:
    for wanted in ELSEWHERE:
        with app.test_request_context("/sign-in", query_string={"next": wanted}):
            assert urls.next_or("/else") == "/else"


def test_router_leads_to_no_other_server(app: Flask) -> None:
    for place in ["//evil.example/", "///evil.example/", "/\\evil.example/"]:
        with app.test_request_context():
            answer = urls.relative_redirect(RequestRedirect(f"http://localhost{place}?q=a"))
        assert answer is not None
        assert answer.location == "/evil.example/?q=a"


def test_page_before_is_one_that_can_be_opened(app: Flask) -> None:
    for referrer, before in [
        ("http://localhost/employees/?q=a", "/employees/?q=a"),
        ("http://localhost/employees", "/employees"),
        ("http://localhost/captures", "/"),
        ("http://localhost/nothing-here", "/"),
        ("http://[", "/"),
        (None, "/"),
    ]:
        with app.test_request_context("/captures", method="POST", headers={"Referer": referrer} if referrer else {}):
            assert urls.page_before() == before


def test_current_address_keeps_the_query_that_came_after_the_page(app: Flask) -> None:
    for referrer, shown in [
        ("http://localhost/employees/?q=a", "/employees/?q=a"),
        ("http://localhost/employees/", "/employees/"),
        ("http://localhost/terminals/?q=a", "/employees/"),
        ("http://evil.example/employees/?q=a", "/employees/"),
        ("http://[", "/employees/"),
    ]:
        with app.test_request_context("/language", method="POST", headers={"Referer": referrer}):
            assert urls.current_address("/employees/") == shown


@pytest.mark.parametrize("address", ["http://localhost//evil.example/", "http:////evil.example/", "/\\evil.example/"])
def test_address_whose_path_reads_as_another_server_is_none_of_ours(address: str) -> None:
    assert urls.own_path(address) == "/"
