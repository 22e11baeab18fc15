"""Which challenge is answered, and how."""

import re
from http.server import BaseHTTPRequestHandler

import pytest

from hikflask.isapi import errors
from hikflask.isapi.client import Client
from hikflask.isapi.digest import DigestLogin, best_challenge

from .helpers import Reply, Seen, recorded, terminal


def ready(header: str, username: str = "Mufasa", password: str = "Circle of Life") -> DigestLogin:
    login = DigestLogin(username, password)
    challenge = best_challenge(header)
    assert challenge is not None
    login.learn(challenge)
    return login


def fields(header: str | None) -> dict[str, str]:
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^,\s]+)', header or "")}


def test_the_recorded_challenge_is_read() -> None:
    challenge = best_challenge(recorded("other_terminals/www_authenticate_K1T342MWX.txt").decode())
    assert challenge is not None
    assert (challenge.realm, challenge.algorithm, challenge.qop) == ("DS-6E392E44", "MD5", True)
    assert challenge.nonce == "NjY1NzE5OGYyNmUzMDRhYWQwZTRkNDhjY2I5NTE4NmQ="


def test_the_strongest_of_several_challenges_is_taken() -> None:
    header = (
        'Basic realm="a, b", Digest realm="md5", nonce="1", qop="auth", DIGEST REALM="sha", NONCE=2, Algorithm=sha-256'
    )
    challenge = best_challenge(header)
    assert challenge is not None
    assert (challenge.realm, challenge.nonce, challenge.algorithm, challenge.qop) == ("sha", "2", "SHA-256", False)


MD5 = 'Digest realm="r", nonce="1", qop="auth"'
SHA256 = 'Digest realm="r", nonce="2", qop="auth", algorithm=SHA-256'


class Offers:
    """A terminal that offers these logins, and takes any credentials that answer one of them."""

    def __init__(self, *offers: str) -> None:
        self.offers = offers

    def __call__(self, request: Seen, _: BaseHTTPRequestHandler) -> Reply:
        nonce = request.authorization.get("nonce")
        if nonce and f'nonce="{nonce}"' in str(self.offers):
            return Reply()
        return Reply(401, b"", {"WWW-Authenticate": ", ".join(self.offers)})


def test_where_only_sha256_is_wanted_md5_alone_gets_no_credentials() -> None:
    with terminal(Offers(MD5)) as server, pytest.raises(errors.WeakDigest) as caught:
        Client(server.url, "admin", "x", sha256_only=True).request("GET", "/x?token=1")
    assert [seen.authorization for seen in server.seen] == [{}]
    assert (caught.value.code, caught.value.path, caught.value.retryable) == ("weak_digest", "/x", False)


def test_where_only_sha256_is_wanted_it_is_taken_of_several() -> None:
    with terminal(Offers(MD5, SHA256)) as server:
        assert Client(server.url, "admin", "x", sha256_only=True).request("GET", "/x").status == 200
    assert server.seen[1].authorization["algorithm"] == "SHA-256"


def test_client_that_was_logged_in_with_sha256_does_not_go_back_to_md5() -> None:
    behave = Offers(SHA256)
    with terminal(behave) as server:
        client = Client(server.url, "admin", "x", sha256_only=True)
        client.request("GET", "/x")
        behave.offers = (MD5,)
        with pytest.raises(errors.WeakDigest):
            client.request("GET", "/x")
    assert [seen.authorization.get("algorithm") for seen in server.seen] == [None, "SHA-256", "SHA-256", None]


def test_commas_and_equal_signs_in_quotes_belong_to_the_value() -> None:
    challenge = best_challenge('Digest realm="x, nonce=evil, y", nonce="real", qop="auth-int, auth"')
    assert challenge is not None
    assert (challenge.realm, challenge.nonce, challenge.qop) == ("x, nonce=evil, y", "real", True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Negotiate",
        'Basic realm="x"',
        'Basic realm="x", nonce="1"',
        'Digest realm="x"',
        'Digest nonce="1", algorithm=SHA-512',
        'Digest nonce="1", qop="auth-int"',
    ],
)
def test_what_cannot_be_answered_is_no_challenge(header: str) -> None:
    assert best_challenge(header) is None


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_response_is_that_of_the_rfc(algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 7616, section 3.9.1; the client's own random value is the one thing that must be fixed to compare.
    monkeypatch.setattr("secrets.token_hex", lambda _: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    header = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    sent = fields(ready(header).header("GET", "/dir/index.html"))
    assert sent["response"] == response
    assert (sent["opaque"], sent["algorithm"]) == ("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm)


def test_without_qop_there_is_no_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "c")
    sent = fields(
        ready('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"').header("GET", "/")
    )
    assert not {"nc", "cnonce", "qop", "algorithm"} & set(sent)


def test_the_counter_rises_with_each_request() -> None:
    login = ready('Digest realm="x", nonce="1", qop="auth"')
    assert [fields(login.header("GET", "/"))["nc"] for _ in range(3)] == ["00000001", "00000002", "00000003"]


def test_a_new_challenge_starts_the_counter_again() -> None:
    login = ready('Digest realm="x", nonce="1", qop="auth"')
    login.header("GET", "/")
    challenge = best_challenge('Digest realm="x", nonce="2", qop="auth"')
    assert challenge is not None
    login.learn(challenge)
    assert fields(login.header("GET", "/"))["nc"] == "00000001"


def test_after_forgetting_there_are_no_credentials() -> None:
    login = ready('Digest realm="x", nonce="1"')
    login.forget()
    assert login.header("GET", "/") is None


def test_an_account_outside_ascii_travels_as_utf8() -> None:
    header = ready('Digest realm="x", nonce="1"', username='ад"мин').header("GET", "/")
    assert header is not None
    assert 'username="ад\\"мин"' in header.encode("latin-1").decode()


def test_the_password_is_not_in_the_repr() -> None:
    assert "Circle" not in repr(ready('Digest realm="x", nonce="1"'))
