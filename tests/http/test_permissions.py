"""Every address and method of the app, asked as nobody, as each role and with each role's token, against the table."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.models.accounts import ROLES
from hikflask.models.accounts import may as includes
from hikflask.services.accounts import operators
from tests.http.permissions_table import ADMIN, API, BOTH, CONFIRMED, NOBODY, PAGES, VIEWER, VIEWER_CONFIRMED
from tests.support.signed_in import OPERATOR_PASSWORD, SignedInClient, client_of, make_token

NOWHERE = "999999"
LEAVES = {"POST /sign-out", "POST /account/sign-out-everywhere"}
# What is gone already when it is to be ended or deleted: the list says so.
LEADS_TO_A_LIST = {
    "POST /account/sessions/<int:session_id>/end",
    "POST /departments/<int:department_id>/delete",
    "POST /imports/mappings/<int:mapping_id>/delete",
    "POST /terminals/<int:terminal_id>/round/pause",
    "POST /tokens/<int:token_id>/revoke",
    "POST /webhooks/<int:webhook_id>/active",
    "POST /webhooks/<int:webhook_id>/delete",
    "POST /webhooks/<int:webhook_id>/test",
}
# Without a name it is refused before it is looked for.
NEEDS_A_NAME = {"POST /imports/mappings/<int:mapping_id>"}
WAYS = {"GET", "POST", "PUT", "DELETE", "PATCH"}


def addresses(app: Flask) -> Iterator[str]:
    """Each method and rule that the app routes, but for HEAD and OPTIONS, which Flask adds."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) & WAYS):
            yield f"{method} {rule.rule}"


def test_every_address_stands_in_the_table_and_no_other(app: Flask) -> None:
    assert sorted(addresses(app)) == sorted({*PAGES, *BOTH, *API})


def ask(client: FlaskClient, entry: str, **options: object) -> TestResponse:
    """Ask for the address with rows that do not exist, so that nothing happens behind the guard."""
    method, _, rule = entry.partition(" ")
    return client.open(re.sub(r"<[^>]+>", NOWHERE, rule), method=method, **options)  # type: ignore[arg-type]


def is_let_in(answer: TestResponse) -> bool:
    """True when the view itself answered: it found no such row, or bad input, or did what it does."""
    if answer.status_code in {401, 403}:
        return False
    return not (answer.status_code == 303 and re.match(r"/(sign-in|confirm)\b", answer.location))


def bare(app: Flask) -> FlaskClient:
    """A client that is nobody, on an app that has an operator."""
    client_of(app)
    return app.test_client()


def test_nobody_is_let_in_where_the_table_says_so(app: Flask) -> None:
    nobody = bare(app)
    for entry, wanted in {**PAGES, **BOTH, **API}.items():
        answer = ask(nobody, entry)

        if wanted != NOBODY:
            assert not is_let_in(answer), entry
        else:
            # The sign-in page answers 401 to a wrong password, there is no first run any more, and no worker: not the
            # guard's doing.
            assert answer.status_code in {200, 404, 422, 503}, entry


@pytest.mark.parametrize("role", ROLES)
def test_role_is_let_in_where_the_table_says_so(app: Flask, role: str) -> None:
    clients = {confirmed: client_of(app, role, confirmed=confirmed) for confirmed in (True, False)}
    # Those that end the session come last.
    for entry, wanted in sorted({**PAGES, **BOTH}.items(), key=lambda item: item[0] in LEAVES):
        client = clients[wanted in {CONFIRMED, VIEWER_CONFIRMED}]

        let_in = is_let_in(ask(client, entry))

        needed = {NOBODY: VIEWER, CONFIRMED: ADMIN, VIEWER_CONFIRMED: VIEWER}.get(wanted, wanted)
        leaves = entry in LEAVES
        assert (let_in or leaves) if includes(role, needed) else not let_in, entry


def test_id_of_nobody_is_not_found(app: Flask) -> None:
    client = client_of(app)
    with_id = {entry for entry in {**PAGES, **BOTH, **API} if "<int:" in entry}
    for entry in with_id - NEEDS_A_NAME:
        answer = ask(client, entry, **({"json": {}} if entry in API else {}))

        assert answer.status_code == (303 if entry in LEADS_TO_A_LIST else 404), entry
        # Passages, which are off here, are not found either.
        assert entry not in API or answer.get_json()["error"] in {"not_found", "passages_off"}, entry


def test_password_is_asked_for_again_where_the_table_says_so(app: Flask) -> None:
    for entry in [*pages_for(CONFIRMED), *pages_for(VIEWER_CONFIRMED)]:
        client = client_of(app, ADMIN, confirmed=False)

        answer = ask(client, entry)

        assert not is_let_in(answer), entry
        client.post("/confirm", data={"password": OPERATOR_PASSWORD})
        assert is_let_in(ask(client, entry)), entry


def test_password_is_not_asked_for_again_elsewhere(app: Flask) -> None:
    client = client_of(app, ADMIN, confirmed=False)
    for entry in pages_for(ADMIN):
        assert is_let_in(ask(client, entry)), entry


def pages_for(wanted: str) -> list[str]:
    """The pages for which the table asks just this."""
    return [entry for entry, asked in PAGES.items() if asked == wanted]


@pytest.mark.parametrize("role", ROLES)
def test_token_is_let_in_where_the_table_says_so(app: Flask, role: str) -> None:
    headers = {"Authorization": f"Bearer {make_token(app, role)}"}
    nobody = bare(app)
    for entry, wanted in {**API, **BOTH}.items():
        answer = ask(nobody, entry, headers=headers)

        assert is_let_in(answer) is includes(role, wanted), entry
        assert "Set-Cookie" not in answer.headers, entry


def test_token_opens_no_page(app: Flask) -> None:
    headers = {"Authorization": f"Bearer {make_token(app, ADMIN)}"}
    nobody = bare(app)
    for entry, wanted in PAGES.items():
        assert wanted == NOBODY or not is_let_in(ask(nobody, entry, headers=headers)), entry


def test_session_opens_no_call_and_the_api_sets_no_cookie(app: Flask) -> None:
    client = client_of(app)
    client.token = ""
    for entry in API:
        answer = ask(client, entry)

        assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized"), entry
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), entry
        assert "Set-Cookie" not in answer.headers, entry


def test_nobody_learns_which_calls_there_are(app: Flask) -> None:
    for path in ["/api", "/api/", "/api/nothing", "/api/users/x"]:
        answer = bare(app).get(path)

        assert (answer.status_code, answer.mimetype) == (401, "application/json")


@pytest.mark.new_app
def test_new_view_without_a_rule_is_closed_to_everybody(app: Flask) -> None:
    app.add_url_rule("/new", view_func=lambda: "open", endpoint="new")
    app.add_url_rule("/api/new", view_func=lambda: "open", endpoint="api_new")
    client = client_of(app)

    assert client.get("/new").status_code == 403
    assert client.get("/api/new").status_code == 403


def test_role_that_was_taken_away_counts_at_once(app: Flask) -> None:
    client: SignedInClient = client_of(app)
    with app.app_context():
        other = client_of(app, name="Ольга")
        assert other.get("/administration").status_code == 200
        operators.change(operators.by_name("Анна").id, VIEWER, True)  # type: ignore[union-attr]

    assert client.get("/administration").status_code == 403
    assert client.get("/employees/").status_code == 200
