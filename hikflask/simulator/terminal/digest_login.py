"""Digest login, and the lock of the account after wrong passwords.

The challenge and the count of tries are as recorded. A request without credentials is not counted as a failed login.
A request with wrong ones is, and a locked account refuses the right password, too.
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from werkzeug.datastructures import Authorization

from hikflask.simulator.profiles import Profile
from hikflask.simulator.terminal.clocks import Clock

USER = "admin"
REALM = "DS-6E392E44"
TRIES = 5
LOCK_SECONDS = 1800
_KEPT_NONCES = 1000


@dataclass
class Nonce:
    """One nonce: when it was issued, in the clock's seconds, and how often it was used."""

    issued: float
    uses: int = 0


class LoginRefused(Exception):
    """The answer is 401. `challenges` are the values of WWW-Authenticate; some firmware leaves the header out.

    `of_password`: credentials were refused, because they are wrong or the account is locked. Otherwise there were none,
    or their nonce is dead.
    """

    def __init__(self, challenges: list[str], of_password: bool = False) -> None:
        super().__init__("401")
        self.challenges = challenges
        self.of_password = of_password


class Login:
    """The password, the nonces and the lock of the account. The caller holds the terminal's lock."""

    def __init__(self, password: str, profile: Profile, clock: Clock) -> None:
        self.password = password
        self.profile = profile
        self.clock = clock
        self.wrong_passwords = 0
        """Requests with wrong credentials since the start; never reset."""
        self.nonce_uses = profile.nonce_uses
        self.nonce_seconds = profile.nonce_seconds
        self.tries_left = TRIES
        """How many wrong passwords lock the account."""
        self._locked_until: float | None = None
        self._nonces: OrderedDict[str, Nonce] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Login wrong_passwords={self.wrong_passwords}>"

    @property
    def is_locked(self) -> bool:
        """Right passwords are refused, too."""
        return self._locked_until is not None

    @property
    def unlock_seconds(self) -> int:
        """Seconds until the account opens again; 0 while it is open."""
        if self._locked_until is None:
            return 0
        return max(0, round(self._locked_until - self.clock.now()))

    def lock(self, seconds: float = LOCK_SECONDS) -> None:
        """Lock the account as after too many wrong passwords."""
        self._locked_until = self.clock.now() + seconds

    def unlock(self) -> None:
        self._locked_until = None
        self.tries_left = TRIES

    def forget_nonces(self) -> None:
        """Forget every nonce, as a restart does."""
        self._nonces.clear()

    def check(
        self,
        method: str,
        target: str,
        authorization: Authorization | None,
        uses: float | None = None,
        seconds: float | None = None,
    ) -> str:
        """Return the nonce that a request with right credentials used.

        :raises LoginRefused:

        `target` is path and query as on the request line. `uses` and `seconds` limit the life of a nonce; None takes
        the profile's limit.
        """
        if self._locked_until is not None and self.clock.now() >= self._locked_until:
            self.unlock()
        if authorization is None or authorization.type != "digest":
            raise LoginRefused(self._challenges())
        if not self._is_right(method, target, authorization):
            self.wrong_passwords += 1
            if self._locked_until is None:
                self.tries_left -= 1
                if self.tries_left == 0:
                    self.lock()
            raise LoginRefused(self._challenges(), of_password=True)
        if self._locked_until is not None:
            raise LoginRefused(self._challenges(), of_password=True)
        nonce = str(authorization.get("nonce"))
        self._use(nonce, self.nonce_uses if uses is None else uses, self.nonce_seconds if seconds is None else seconds)
        self.tries_left = TRIES
        return nonce

    def uses_of(self, nonce: str) -> int:
        """How often a nonce was used."""
        return self._nonces[nonce].uses

    def _use(self, value: str, uses: float | None, seconds: float | None) -> None:
        nonce = self._nonces.get(value)
        if nonce is None:
            raise LoginRefused(self._challenges())
        spent = uses is not None and nonce.uses >= uses
        expired = seconds is not None and self.clock.now() - nonce.issued >= seconds
        if spent or expired:
            raise LoginRefused(self._challenges() if self.profile.challenge_after_dead_nonce else [])
        nonce.uses += 1

    def _challenges(self) -> list[str]:
        value = base64.b64encode(secrets.token_hex(16).encode()).decode()
        self._nonces[value] = Nonce(self.clock.now())
        while len(self._nonces) > _KEPT_NONCES:
            self._nonces.popitem(last=False)
        # In the recorded order; `stale` and `domain` are as odd as recorded.
        start = "Digest " if self.profile.challenge == "no-qop" else 'Digest qop="auth", '
        challenge = f'{start}realm="{REALM}", nonce="{value}", stale="false", opaque="", domain="::"'
        return [f"{challenge}, algorithm={name}" if name else challenge for name in self._algorithms]

    @property
    def _algorithms(self) -> tuple[str, ...]:
        """The algorithms offered. An empty name stands for a challenge without one, which means MD5."""
        return {"sha256": ("SHA-256",), "several": ("MD5", "SHA-256")}.get(self.profile.challenge, ("",))

    def _is_right(self, method: str, target: str, credentials: Authorization) -> bool:
        # The credentials are for this very request, with its query (RFC 7616 section 3.4.6).
        uri = credentials.get("uri") or ""
        parts = urlsplit(uri)
        relative = uri.removeprefix(f"{parts.scheme}://{parts.netloc}") if parts.scheme else uri
        if credentials.get("username") != USER or unquote(relative) != unquote(target):
            return False
        algorithm = credentials.get("algorithm") or ""
        if algorithm not in {*self._algorithms, "MD5", ""}:
            return False
        expected = _response(self.password, method, algorithm, credentials)
        return hmac.compare_digest(expected.encode(), (credentials.get("response") or "").encode())


def _response(password: str, method: str, algorithm: str, credentials: Authorization) -> str:
    """The right `response` to the challenge (RFC 7616 section 3.4.1; without qop RFC 2069)."""
    function = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def digest(text: str) -> str:
        return function(text.encode()).hexdigest()

    secret = digest(f"{USER}:{REALM}:{password}")
    request = digest(f"{method}:{credentials.get('uri')}")
    if credentials.get("qop") is None:
        return digest(f"{secret}:{credentials.get('nonce')}:{request}")
    counted = f"{credentials.get('nonce')}:{credentials.get('nc')}:{credentials.get('cnonce')}:{credentials.get('qop')}"
    return digest(f"{secret}:{counted}:{request}")
