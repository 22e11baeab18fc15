"""One table says which HTTP status a refusal has, on a page and in the API."""

from http import HTTPStatus

from hikflask.http import error_status
from hikflask.services.core.refusals import RULES


def test_pages_and_api_differ_only_in_what_comes_of_asking_the_terminal() -> None:
    differs = {code for code in RULES if error_status.for_page(code) != error_status.for_api(code)}

    assert differs == {
        "capture_running",
        "wrong_password",
        "locked",
        "address_refused",
        "https_required",
        "weak_digest",
        "certificate_changed",
        "unreachable",
        "no_answer",
        "capturetimeout",
        "capture_unanswered",
        "person_not_verified",
        "name_not_verified",
        "face_not_verified",
        "validity_not_verified",
        "validity_not_shown",
        "rights_not_verified",
        "removal_not_verified",
        "removal_not_shown",
        "holder_not_shown",
        "lease_lost",
        "wish_changed",
        "interrupted",
        "no_worker",
    }
    assert {error_status.for_page(code) for code in differs - {"capture_running"}} == {HTTPStatus.CONFLICT}
    assert error_status.for_page("capture_running") == HTTPStatus.UNPROCESSABLE_ENTITY


def test_code_that_only_terminals_use_is_their_refusal_in_the_api() -> None:
    assert error_status.for_api("terminal:somethingNew") == HTTPStatus.BAD_GATEWAY
    assert error_status.for_page("terminal:somethingNew") == HTTPStatus.CONFLICT
