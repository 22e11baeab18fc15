"""Digest login that reuses a nonce as long as the terminal accepts it.

What the vendor allows: Digest with qop "auth" (ISAPI guide, "Security": RFC 7616). Recorded challenges name no
algorithm, which means MD5; newer firmware also offers SHA-256. HTTPDigestAuth of requests sends a refused password a
second time and understands only one challenge, so it is not used.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

# One `name=value`, after the scheme's name where a new challenge begins. Quoted values may contain commas.
PARAMETER = re.compile(r'(?:\A|,)\s*(?:([A-Za-z][\w-]*)\s+)?([A-Za-z][\w*-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)')
# From the weakest to the strongest.
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True)
class Challenge:
    """One Digest challenge that this client can answer."""

    realm: str
    nonce: str
    opaque: str
    algorithm: str
    algorithm_named: bool
    qop: bool


def best_challenge(header: str) -> Challenge | None:
    """Return the strongest usable Digest challenge of a WWW-Authenticate header, or None.

    Several challenges are joined by commas.
    """
    schemes: list[dict[str, str]] = []
    for scheme, name, value in PARAMETER.findall(header):
        if scheme or not schemes:
            schemes.append({"": scheme.lower()})
        schemes[-1].setdefault(name.lower(), value[1:-1] if value.startswith('"') else value)
    strength = list(HASHES)
    usable = [challenge for fields in schemes if (challenge := _challenge(fields))]
    return max(usable, key=lambda challenge: strength.index(challenge.algorithm), default=None)


def _challenge(fields: dict[str, str]) -> Challenge | None:
    algorithm = fields.get("algorithm", "MD5").upper()
    offers = {offer.strip().lower() for offer in fields.get("qop", "").split(",")} - {""}
    if fields[""] != "digest" or not fields.get("nonce"):
        return None
    if algorithm not in HASHES or (offers and "auth" not in offers):
        return None
    return Challenge(
        realm=fields.get("realm", ""),
        nonce=fields["nonce"],
        opaque=fields.get("opaque", ""),
        algorithm=algorithm,
        algorithm_named="algorithm" in fields,
        qop=bool(offers),
    )


class DigestLogin:
    """The login state of one account: the last challenge, and how often it was answered."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._challenge: Challenge | None = None
        self._count = 0

    def __repr__(self) -> str:
        return f"<DigestLogin {self._username}>"

    @property
    def ready(self) -> bool:
        """True when a challenge is known, so the next request can carry credentials."""
        return self._challenge is not None

    def learn(self, challenge: Challenge) -> None:
        """Answer this challenge from now on."""
        self._challenge = challenge
        self._count = 0

    def forget(self) -> None:
        """Start the next request without credentials."""
        self._challenge = None

    def header(self, method: str, uri: str) -> str | None:
        """Return the next Authorization header for this request, or None while no challenge is known.

        Args: uri is path and query exactly as they stand in the request line (terminals check the query, too).
        """
        challenge = self._challenge
        if challenge is None:
            return None
        self._count += 1
        count, cnonce = f"{self._count:08x}", secrets.token_hex(8)

        def digest(text: str) -> str:
            return HASHES[challenge.algorithm](text.encode(), usedforsecurity=False).hexdigest()

        account = digest(f"{self._username}:{challenge.realm}:{self._password}")
        request = digest(f"{method}:{uri}")
        extra = f":{count}:{cnonce}:auth" if challenge.qop else ""
        response = digest(f"{account}:{challenge.nonce}{extra}:{request}")
        username = self._username.replace("\\", "\\\\").replace('"', '\\"')
        fields = [f'username="{username}"', f'realm="{challenge.realm}"', f'nonce="{challenge.nonce}"']
        fields += [f'uri="{uri}"', f'response="{response}"']
        fields += [f"algorithm={challenge.algorithm}"] if challenge.algorithm_named else []
        fields += [f'opaque="{challenge.opaque}"'] if challenge.opaque else []
        fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"'] if challenge.qop else []
        # HTTP headers are Latin-1; a name outside ASCII is sent as the UTF-8 bytes that were hashed.
        return ("Digest " + ", ".join(fields)).encode().decode("latin-1")
