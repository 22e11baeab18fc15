"""The terminals that can be played, one row each: what they take, how they answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

CaptureType = Literal["url", "binary"]
BinaryReply = Literal["header", "own-header", "first-line", "xml-label", "jpeg", "unnamed"]
Challenge = Literal["plain", "sha256", "several", "no-qop"]
LockWords = Literal["lock", "locked", "xml", "json", "json-wrapped", "json-user-check"]


@dataclass(frozen=True)
class Profile:
    """One model and firmware. The defaults are the seed terminal."""

    model: str = "DS-K1T343EFWX"
    firmware: str = "V4.38.0"

    capture_types: tuple[CaptureType, ...] = ("url", "binary")
    """What `CaptureFaceData/capabilities` offers."""
    refused_capture_types: tuple[CaptureType, ...] = ()
    """What is refused with `badParameters` all the same."""
    window: float = 3.0
    """Seconds one capture POST waits for a face; 0 answers at once."""
    ends_in_timeout: bool = False
    """Nobody there: 400 captureTimeout (final) instead of 200 with progress 0 (POST again)."""
    binary_reply: BinaryReply = "header"
    takes_cancel: bool = True
    refuse_after_success: float = 0.3
    """Seconds after a success in which the same login that POSTs again gets `badParameters`; 0 switches it off."""

    face_by_url: bool = True
    face_by_picture: bool = False
    external_url: bool = False
    strict_parts: bool = False
    """FDSetUp wants the JSON part first and typed `application/json`."""
    fd_functions: str = "post,delete,get,put,setUp"
    """What `FDLib/capabilities` tells as `supportFDFunction`; what is answered follows `set_up`."""
    set_up: bool = True
    """There is FDSetUp. Without it faces go by FaceDataRecord and FDModify."""
    set_up_by_post: bool = False
    """FDSetUp takes POST as well as PUT."""

    employee_no: str = r"[^\x00-\x1f]{1,32}"
    """Pattern of the numbers taken."""
    name_bytes: int = 128
    """Longest name in bytes of UTF-8."""
    num_of_face: bool = True
    """Search tells `numOfFace`."""
    number_taken: str = "employeeNoAlreadyExist"
    """The code for a number that is there already."""
    bind_counts: bool = True
    """UserInfo/Count tells how many persons have a face, a finger, a card."""
    capacity: int = 1500
    search_no_match: str = "NO MATCH"
    """How a search says that it found nobody; empty: it says no more than a total of 0."""
    more_at_the_end: bool = False
    """A search says `MORE` although the total is reached."""

    missing: frozenset[str] = frozenset()
    """Paths without /ISAPI/ and query that answer `notSupport`, such as "AccessControl/UserInfo/Count"."""
    device_info_json: bool = False
    """deviceInfo comes as JSON where the query asks for it."""

    nonce_uses: int | None = None
    nonce_seconds: float | None = None
    challenge_after_dead_nonce: bool = True
    challenge: Challenge = "plain"
    lock_words: LockWords = "lock"
    """In which words a 401 tells the tries left, or the lock: see login_refusals."""

    not_supported_status: int = 404
    refusals_as_200: bool = False
    crlf: bool = True
    """XML declarations end with CR and LF, whatever the lines after it end with; otherwise with LF."""

    idle_seconds: float = 5.0
    """After this time without a request the socket server closes a connection."""


SEED = Profile()
_PICTURE = Profile(face_by_url=False, face_by_picture=True, refuse_after_success=0)

PROFILES = MappingProxyType(
    {
        "K1T343EFWX": SEED,
        "K1T343M": replace(
            _PICTURE,
            model="DS-K1T343M",
            firmware="V4.48.0",
            binary_reply="xml-label",
            set_up_by_post=True,
            nonce_uses=2,
            challenge_after_dead_nonce=False,
            lock_words="locked",
        ),
        "K1T341CMFW": replace(
            _PICTURE,
            model="DS-K1T341CMFW",
            firmware="V3.3.8",
            capture_types=("binary",),
            window=6.0,
            binary_reply="own-header",
            takes_cancel=False,
            name_bytes=32,
            crlf=False,
            num_of_face=False,
            lock_words="xml",
        ),
        "K1T341AMF": replace(
            _PICTURE,
            model="DS-K1T341AMF",
            firmware="V3.2.30",
            capture_types=("binary",),
            binary_reply="jpeg",
            face_by_url=True,
            external_url=True,
            takes_cancel=False,
            refusals_as_200=True,
            lock_words="json",
        ),
        "K1T342MX-E1": replace(
            _PICTURE,
            model="DS-K1T342MX-E1",
            firmware="V4.39.180",
            capture_types=("binary",),
            window=17.0,
            ends_in_timeout=True,
            employee_no=r"[A-Za-z0-9]{1,32}",
            nonce_seconds=30,
            crlf=False,
        ),
        "K1T342MFX-E1": replace(
            _PICTURE,
            model="DS-K1T342MFX-E1",
            firmware="V4.48.40",
            capture_types=("binary",),
            binary_reply="unnamed",
            nonce_uses=2,
            challenge_after_dead_nonce=False,
            challenge="several",
            lock_words="json-wrapped",
        ),
        "K1T342MFWX-E1": replace(
            _PICTURE,
            model="DS-K1T342MFWX-E1",
            firmware="V3.16.1",
            binary_reply="first-line",
            strict_parts=True,
            nonce_seconds=30,
            challenge_after_dead_nonce=False,
            challenge="sha256",
        ),
        "K1T320MWX": replace(
            _PICTURE,
            model="DS-K1T320MWX",
            firmware="V3.5.2",
            refused_capture_types=("url",),
            not_supported_status=403,
            challenge="no-qop",
            lock_words="json-user-check",
        ),
        "K1T673DX": replace(
            _PICTURE,
            model="DS-K1T673DX",
            firmware="V3.18.0",
            capture_types=("binary",),
            window=0,
            takes_cancel=False,
            number_taken="deviceUserAlreadyExist",
        ),
        "K1A340FWX": replace(
            _PICTURE,
            model="DS-K1A340FWX",
            firmware="V1.2.7",
            capture_types=("binary",),
            num_of_face=False,
            bind_counts=False,
            missing=frozenset({"Intelligent/FDLib"}),
        ),
    }
)
"""By model without the leading DS-. Capture, face upload, numbers, nonces: isapi.

What no recording tells is spread over the rows so that each dialect is played by one of them: the challenges with
SHA-256, several algorithms and no qop, 403 for notSupport, refusals with HTTP 200, the forms of the binary reply, no
numOfFace, the words of a 401, the other code for a number that is taken, the short name, and the last figures of some
firmware.
"""


def profile_named(name: str) -> Profile:
    """The profile of a model, with or without DS-, in upper or lower case. Raises KeyError with a readable text."""
    key = name.upper().removeprefix("DS-")
    if key not in PROFILES:
        raise KeyError(f"unknown model {name}; there are {', '.join(PROFILES)}")
    return PROFILES[key]
