"""A refused or locked login is told in many words: in each of them a password is refused once, and a lock gets none.

Wordings: a recorded userCheck, the guide's enum `locked`, and a ResponseStatus with lockStatus, retryTimes and
resLockTime in XML and JSON as other clients read it. Some terminals tell the tries left with the first challenge, some
only beside a refusal, some only with the challenge that follows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from hikflask.isapi.client import Client
from hikflask.isapi.errors import AccountLocked, WrongPassword

from .helpers import Reply, Seen, digest_response, terminal

pytestmark = pytest.mark.long

PATH = "/ISAPI/AccessControl/UserInfo/Count?format=json"
RIGHT, CHANGED = "right-pass", "changed-pass"
LOCK_SECONDS = 1200

Words = Callable[[bool, int], bytes]
"""The body beside a 401: is the account locked, and how many tries are left."""


def user_check(locked: bool, tries: int, word: str = "lock") -> bytes:
    lock = f"<lockStatus>{word}</lockStatus><unlockTime>{LOCK_SECONDS}</unlockTime>"
    told = lock if locked else f"<lockStatus>unlock</lockStatus><retryLoginTime>{tries}</retryLoginTime>"
    return f"<userCheck><statusValue>401</statusValue>{told}</userCheck>".encode()


def response_status(locked: bool, tries: int) -> bytes:
    lock, tries, left = ("locked", 0, LOCK_SECONDS) if locked else ("unlock", tries, 0)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        '<ResponseStatus version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><requestURL></requestURL>'
        "<statusCode>4</statusCode><statusString>Invalid Operation</statusString>"
        "<subStatusCode>invalidOperation</subStatusCode>"
        f"<lockStatus>{lock}</lockStatus><retryTimes>{tries}</retryTimes><resLockTime>{left}</resLockTime>"
        "</ResponseStatus>"
    ).encode()


def json_words(locked: bool, tries: int) -> dict[str, object]:
    told: dict[str, object] = {"statusCode": 4, "statusString": "Invalid Operation", "lockStatus": "unlock"}
    told |= {"lockStatus": "locked", "resLockTime": LOCK_SECONDS, "retryTimes": 0} if locked else {"retryTimes": tries}
    return told


WORDINGS: dict[str, Words] = {
    "userCheck, lock": user_check,
    "userCheck, locked": lambda locked, tries: user_check(locked, tries, "locked"),
    "userCheck, LOCK": lambda locked, tries: user_check(locked, tries, "LOCK"),
    "ResponseStatus": response_status,
    "JSON": lambda locked, tries: json.dumps(json_words(locked, tries)).encode(),
    "JSON in ResponseStatus": lambda locked, tries: json.dumps({"ResponseStatus": json_words(locked, tries)}).encode(),
    "JSON in userCheck": lambda locked, tries: json.dumps(
        {"userCheck": {"lockStatus": "lock", "unlockTime": LOCK_SECONDS}}
        if locked
        else {"userCheck": {"lockStatus": "unlock", "retryLoginTime": tries}}
    ).encode(),
}

ALWAYS, BESIDE_A_REFUSAL, WITH_A_CHALLENGE = "always", "beside a refusal", "with a challenge"


@dataclass
class Login:
    """A terminal's login that counts what it was sent; `told` is where it has words about the account."""

    words: Words
    told: str = ALWAYS
    password: str = RIGHT
    tries: int = 5
    locked: bool = False
    lock_status: int = 401
    nonces: int = 1
    dead: set[str] = field(default_factory=set)
    credentials: list[str] = field(default_factory=list)

    def __call__(self, request: Seen, _: BaseHTTPRequestHandler) -> Reply:
        if not request.authorization:
            return self._refusal(told=self.told != BESIDE_A_REFUSAL)
        self.credentials.append(request.path)
        if request.authorization["nonce"] in self.dead:
            return self._refusal(told=self.told == ALWAYS)
        if self.locked:
            return self._refusal(told=True, status=self.lock_status)
        if request.authorization["response"] != digest_response(request, self.password):
            self.tries -= 1
            return self._refusal(told=self.told != WITH_A_CHALLENGE)
        return Reply()

    def _refusal(self, *, told: bool, status: int = 401) -> Reply:
        self.nonces += 1
        header = (
            f'Digest qop="auth", realm="DS-6E392E44", nonce="n{self.nonces}", stale="false", opaque="", domain="::"'
        )
        # A lock is said to everybody.
        body = self.words(self.locked, self.tries) if told or self.locked else b""
        return Reply(status, body, {"WWW-Authenticate": header})

    def wear_out(self) -> None:
        """No nonce that was given out is good any more."""
        self.dead |= {f"n{number}" for number in range(self.nonces + 1)}


def client(url: str, password: str = RIGHT) -> Client:
    return Client(url, "admin", password, timeout=(2.0, 5.0))


every_wording = pytest.mark.parametrize("words", WORDINGS.values(), ids=list(WORDINGS))
every_wording_or_place = pytest.mark.parametrize(
    ("words", "told"),
    [pytest.param(words, ALWAYS, id=name) for name, words in WORDINGS.items()]
    + [
        pytest.param(WORDINGS[name], told, id=f"{name} {told}")
        for name in ("userCheck, lock", "ResponseStatus", "JSON")
        for told in (BESIDE_A_REFUSAL, WITH_A_CHALLENGE)
    ],
)


@every_wording_or_place
def test_the_right_password_is_sent_with_each_request_and_once_more_for_a_worn_out_nonce(
    words: Words, told: str
) -> None:
    login = Login(words, told)
    with terminal(login) as server:
        mine = client(server.url)
        statuses = [mine.request("GET", PATH).status for _ in range(2)]
        login.wear_out()
        statuses.append(mine.request("GET", PATH).status)
    assert statuses == [200, 200, 200]
    assert len(login.credentials) == 4


@every_wording_or_place
def test_a_wrong_password_is_sent_once(words: Words, told: str) -> None:
    login = Login(words, told)
    with terminal(login) as server, pytest.raises(WrongPassword):
        client(server.url, "wrong-pass").request("GET", PATH)
    assert (len(login.credentials), login.tries) == (1, 4)


@every_wording_or_place
def test_a_password_changed_there_is_refused_once(words: Words, told: str) -> None:
    login = Login(words, told)
    with terminal(login) as server:
        mine = client(server.url)
        mine.request("GET", PATH)
        login.password = CHANGED
        with pytest.raises(WrongPassword) as refused:
            mine.request("GET", PATH)
    assert (len(login.credentials), login.tries) == (2, 4)
    assert refused.value.tries_left == 4


@every_wording_or_place
def test_a_locked_account_gets_no_credentials(words: Words, told: str) -> None:
    login = Login(words, told, locked=True)
    with terminal(login) as server, pytest.raises(AccountLocked) as refused:
        client(server.url).request("GET", PATH)
    assert login.credentials == []
    assert refused.value.unlock_seconds == LOCK_SECONDS


@every_wording_or_place
def test_an_account_that_is_locked_meanwhile_gets_no_more_credentials(words: Words, told: str) -> None:
    login = Login(words, told)
    with terminal(login) as server:
        mine = client(server.url)
        mine.request("GET", PATH)
        login.locked = True
        with pytest.raises(AccountLocked) as refused:
            mine.request("GET", PATH)
    assert len(login.credentials) == 2
    assert refused.value.unlock_seconds == LOCK_SECONDS


@pytest.mark.parametrize("status", [403, 400, 503])
@every_wording
def test_a_lock_that_is_told_with_another_error_is_one(words: Words, status: int) -> None:
    login = Login(words, BESIDE_A_REFUSAL)
    with terminal(login) as server:
        mine = client(server.url)
        mine.request("GET", PATH)
        login.locked, login.lock_status = True, status
        with pytest.raises(AccountLocked) as refused:
            mine.request("GET", PATH)
    assert len(login.credentials) == 2
    assert refused.value.unlock_seconds == LOCK_SECONDS


@every_wording
def test_a_lock_by_the_wrong_password_itself_is_told_as_one(words: Words) -> None:
    class Last(Login):
        def __call__(self, request: Seen, handler: BaseHTTPRequestHandler) -> Reply:
            self.locked = bool(request.authorization)
            return super().__call__(request, handler)

    login = Last(words)
    with terminal(login) as server, pytest.raises(AccountLocked):
        client(server.url, "wrong-pass").request("GET", PATH)
    assert len(login.credentials) == 1
