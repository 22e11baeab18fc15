"""The models that the simulator can play: what each accepts, and how it answers."""

from dataclasses import dataclass, field, replace
from typing import Literal

from hikflask.simulator.event_traps import EventTraps, PushTraps

CaptureType = Literal["url", "binary"]
BinaryReply = Literal["header", "own-header", "first-line", "xml-label", "jpeg", "unnamed"]
NobodyCame = Literal["progress", "done", "captureTimeout", "timeOut", "deviceError"]
CardCapture = Literal["get", "post", "none"]
ClockMark = Literal["offset", "none", "z"]
ClockTakes = Literal["either", "offset", "plain"]
PicturePart = Literal["img", "FaceImage"]
RemoteDoor = Literal["on", "off", "none"]
LockWords = Literal["lock", "locked", "xml", "json", "json-wrapped", "json-user-check"]


@dataclass(frozen=True)
class Profile:
    """One model and firmware. The defaults are the seed terminal."""

    model: str = "DS-K1T343EFWX"
    firmware: str = "V4.38.0"

    capture_types: tuple[CaptureType, ...] = ("url", "binary")
    """What `CaptureFaceData/capabilities` offers."""
    refused_capture_types: tuple[CaptureType, ...] = ()
    """Types that are offered and yet refused with `badParameters`."""
    window: float = 3.0
    """Seconds that a capture request waits for a face; 0: it is answered at once."""
    nobody_came: NobodyCame = "progress"
    """The answer when nobody came: 200 with progress 0, "done" is progress 100 without a picture, or a refusal."""
    binary_reply: BinaryReply = "header"
    takes_cancel: bool = True
    refuse_after_success: float = 0.3
    """So many seconds after a success, the same login gets `badParameters` for another capture; 0: never."""

    card_capture: CardCapture = "get"
    """CaptureCardInfo is a GET, or a POST of XML, or there is none."""
    card_window: float = 30.0
    """Seconds that CaptureCardInfo waits for a card. No firmware's is known."""
    card_capacity: int = 3000
    cards_per_person: int | None = 50
    """`numberPerPerson` in `CardInfo/capabilities`; 255 stands for any number, and None is not told and means five."""
    card_length: tuple[int, int] = (1, 20)
    """The length of the shortest and of the longest card number."""
    finds_by_card: bool = True
    """A search for cards knows CardNoList. Otherwise it lists all cards, and the capabilities do not name the list. A
    removal knows it always: what such firmware does there is unknown.
    """

    face_by_url: bool = True
    face_by_picture: bool = False
    external_url: bool = False
    strict_parts: bool = False
    """FDSetUp demands the JSON part first, with the type `application/json`."""
    part_lengths: bool = False
    """A picture is found only among parts that have a Content-Length."""
    picture_part: PicturePart | None = None
    """A picture is found only in a part of this name; None: in any."""
    fd_functions: str = "post,delete,get,put,setUp"
    """`supportFDFunction` in `FDLib/capabilities`. Whether FDSetUp really works depends on `set_up` alone."""
    set_up: bool = True
    """FDSetUp exists. Without it faces are added by FaceDataRecord and replaced by FDModify."""
    set_up_by_post: bool = False
    """FDSetUp accepts POST as well as PUT."""

    employee_no: str = r"[^\x00-\x1f]{1,32}"
    """Pattern of the employee numbers that are accepted."""
    name_bytes: int = 128
    """Length of the longest name, in bytes of UTF-8."""
    cuts_names: bool = False
    """A longer name is cut, and the capabilities do not tell how long one may be; otherwise it is refused."""
    num_of_face_listed: bool = True
    """`UserInfo/capabilities` says that search results have `numOfFace`, whether they have it or not."""
    not_in_search: frozenset[str] = frozenset()
    """Fields of a person that search results do not have, such as "Valid"."""
    valid_of_no_length: bool = True
    """`Valid` may begin and end at the same moment; otherwise that is `badJsonContent`."""
    modify_method: Literal["PUT", "POST"] = "PUT"
    """UserInfo/Modify accepts this method alone."""
    modify_replaces: bool = False
    """UserInfo/Modify loses what is not sent again of `Valid`, `doorRight`, `RightPlan` and `userType`."""
    number_taken: str = "employeeNoAlreadyExist"
    """The error code when a person with the number exists."""
    removal_keeps_faces: bool = False
    """A person who is removed leaves the face in the library."""
    bind_counts: bool = True
    """UserInfo/Count also counts the persons who have a face, a fingerprint or a card."""
    counts_that_stay_0: frozenset[str] = frozenset()
    """Fields of UserInfo/Count that are 0 always, such as "bindFaceUserNumber"."""
    capacity: int = 1500
    search_no_match: str = "NO MATCH"
    """The status of a search that found nobody; empty: there is only the total of 0."""
    more_at_the_end: bool = False
    """A search says `MORE` even on its last page."""
    tells_page_as_total: bool = False
    """A search counts the rows of its page alone, and calls the first one the whole list."""
    cuts_long_pages: bool = True
    """A search that asks for more than 30 gets 30; otherwise it is refused. The code is not known: `badJsonContent`."""

    missing: frozenset[str] = frozenset()
    """Paths without /ISAPI/ and query that answer `notSupport`, such as "AccessControl/UserInfo/Count"."""
    time_json: bool = False
    """System/time speaks JSON."""
    clock_mark: ClockMark = "offset"
    """What stands behind the local time of System/time: its offset from UTC, nothing, or a Z although it is local."""
    clock_takes: ClockTakes = "either"
    """A local time is set with its offset, without it, or in either form; the other form is `badParameters`."""
    clock_by_utc: bool = False
    """The zone is told as GMT+05:00, not as CST-5:00:00."""
    clock_after_restart: bool = False
    """Setting the clock is answered with `rebootRequired`, and takes effect at the next restart."""
    device_info_json: bool = False
    """deviceInfo is JSON when the query asks for it."""

    nonce_uses: int | None = None
    nonce_seconds: float | None = None
    challenge_after_dead_nonce: bool = True
    challenge: Literal["plain", "sha256", "several", "no-qop"] = "plain"
    lock_words: LockWords = "lock"
    """The dialect of the body of a 401: see login_error in http/responses.py."""
    asks_password: bool = True
    """Otherwise every request is answered, with credentials and without."""
    silent_challenge: bool = False
    """A 401 that refuses no password has no body, so that it tells neither the tries left nor a lock."""

    not_supported_status: int = 404
    not_supported_as_200: frozenset[str] = frozenset()
    """Methods that get `notSupport` with HTTP 200."""
    refuses_methods: bool = True
    """A path answers `methodNotAllowed` to a method that it does not have; otherwise `notSupport`."""
    refusals_as_200: bool = False
    crlf: bool = True
    """The XML declaration ends with CR and LF, otherwise with LF. The lines after it end with LF always."""

    events: EventTraps = field(default_factory=EventTraps)
    """What the log of events and its search do in their own way."""

    push: PushTraps = field(default_factory=PushTraps)
    """What it does in its own way where it sends its events itself."""
    remote_door: RemoteDoor = "on"
    """The door opens by RemoteControl, or that is switched off and refused, or there is no such function."""
    access_settings: str = "13_GET_AccessControl_AcsCfg.response.json"
    """The file in `recorded/` with what AcsCfg is at first."""

    idle_seconds: float = 5.0
    """The socket server closes a connection after this time without a request."""


SEED = Profile()
_PICTURE = Profile(face_by_url=False, face_by_picture=True, refuse_after_success=0)

PROFILES = {
    "K1T343EFWX": SEED,
    "K1T343M": replace(
        _PICTURE,
        model="DS-K1T343M",
        firmware="V4.48.0",
        time_json=True,
        binary_reply="xml-label",
        card_capture="post",
        set_up_by_post=True,
        nonce_uses=2,
        challenge_after_dead_nonce=False,
        lock_words="locked",
    ),
    "K1T343MFX": replace(
        _PICTURE,
        model="DS-K1T343MFX",
        firmware="V4.48.0",
        capture_types=("binary",),
        valid_of_no_length=False,
        silent_challenge=True,
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
        num_of_face_listed=False,
        not_in_search=frozenset({"numOfFace", "faceURL"}),
        clock_mark="z",
        lock_words="xml",
        push=PushTraps(
            list_lands_elsewhere=True, needs_all_minors=True, all_sends_no_events=True, framing="no blank line"
        ),
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
        removal_keeps_faces=True,
        card_capacity=6000,
        cards_per_person=5,
        card_length=(1, 32),
        finds_by_card=False,
        lock_words="json",
        events=EventTraps(empty_fields="null", leaves_status_out=True),
        push=PushTraps(tells_no_format=True, framing="json"),
    ),
    "K1T342MX-E1": replace(
        _PICTURE,
        model="DS-K1T342MX-E1",
        firmware="V4.39.180",
        capture_types=("binary",),
        window=17.0,
        nobody_came="captureTimeout",
        employee_no=r"[A-Za-z0-9]{1,32}",
        nonce_seconds=30,
        silent_challenge=True,
        clock_mark="none",
        crlf=False,
        events=EventTraps(keeps_searches=False, ignores_reverse=True),
        push=PushTraps(needs_ehome=True, takes_hostname=False, takes_https=False),
    ),
    "K1T342MFX-E1": replace(
        _PICTURE,
        model="DS-K1T342MFX-E1",
        firmware="V4.48.40",
        capture_types=("binary",),
        binary_reply="unnamed",
        nonce_uses=2,
        challenge_after_dead_nonce=False,
        part_lengths=True,
        remote_door="off",
        clock_takes="plain",
        challenge="several",
        lock_words="json-wrapped",
        push=PushTraps(lost_after_restart=True),
    ),
    "K1T342MFWX-E1": replace(
        _PICTURE,
        model="DS-K1T342MFWX-E1",
        firmware="V3.16.1",
        binary_reply="first-line",
        strict_parts=True,
        cuts_long_pages=False,
        nonce_seconds=30,
        challenge_after_dead_nonce=False,
        challenge="sha256",
        events=EventTraps(refuses_major_0=True, refuses_minor_0=True),
        push=PushTraps(backlog_first=True),
    ),
    "K1T320MWX": replace(
        _PICTURE,
        model="DS-K1T320MWX",
        firmware="V3.5.2",
        refused_capture_types=("url",),
        nobody_came="deviceError",
        not_supported_status=403,
        challenge="no-qop",
        cards_per_person=None,
        modify_method="POST",
        lock_words="json-user-check",
        events=EventTraps(page_limit=10, search_id_length=20, time_length=25, hides_names=True),
        push=PushTraps(framing="other delimiter"),
    ),
    "K1T673DX": replace(
        _PICTURE,
        model="DS-K1T673DX",
        firmware="V3.18.0",
        capture_types=("binary",),
        window=0,
        takes_cancel=False,
        clock_by_utc=True,
        cards_per_person=255,
        picture_part="FaceImage",
        number_taken="deviceUserAlreadyExist",
        modify_replaces=True,
        events=EventTraps(ignores_serials=True, ignores_reverse=True),
    ),
    "K1A340FWX": replace(
        _PICTURE,
        model="DS-K1A340FWX",
        firmware="V1.2.7",
        capture_types=("binary",),
        num_of_face_listed=False,
        not_in_search=frozenset({"faceURL"}),
        bind_counts=False,
        card_capture="none",
        missing=frozenset(
            {
                "AccessControl/CardVerificationRule",
                "Intelligent/FDLib",
                "Intelligent/FDLib/capabilities",
                "System/status",
            }
        ),
        not_supported_as_200=frozenset({"POST"}),
        refuses_methods=False,
        events=EventTraps(majors=(1, 2, 3, 5), empty_fields="zeros"),
        push=PushTraps(
            slots=1, keeps_url=False, takes_hostname=False, takes_delete=False, can_test=False, never_comes=True
        ),
        access_settings="acscfg_K1A340FWX.json",
        remote_door="none",
    ),
}
"""The profiles by model, without the leading DS-.

Dialects that are known without their model are spread over the rows, so that each is played by one of them: the
challenges with SHA-256, with several algorithms and without qop, 403 for notSupport, errors with HTTP 200, the forms of
the captured picture, of one that is sent and of the clock, no numOfFace, the bodies of a 401, the other code for a
number that exists, Modify by POST and with the loss of rights, a removal that keeps the face, the short name,
the limits for cards (those of a KV6124 at K1T341AMF) and how one is read, the limits of the search for events, the
forms of what is sent, and a door that the network may not open.
The last digits of some firmware versions are not recorded either.
"""


def profile_named(name: str) -> Profile:
    """The profile of a model, with or without DS-, in upper or lower case. :raises KeyError: with the known models."""
    key = name.upper().removeprefix("DS-")
    if key not in PROFILES:
        raise KeyError(f"unknown model {name}; there are {', '.join(PROFILES)}")
    return PROFILES[key]
