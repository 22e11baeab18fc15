"""What firmware does wrong, or in its own way, with its events. Each is a switch; a profile sets those of its model."""

from dataclasses import dataclass
from typing import Literal

EmptyFields = Literal["left out", "zeros", "null"]


@dataclass(frozen=True)
class EventTraps:
    """The traps of the search. The defaults are those that most terminals have."""

    page_limit: int = 30
    """A search gives so many records at most; who asks for more gets so many."""
    search_id_length: int = 64
    """A longer searchID is refused."""
    time_length: int = 32
    """A longer startTime or endTime finds nothing, and that is no error."""
    foreign_offset_finds_nothing: bool = True
    """A window in another offset than the terminal's own finds nothing, and that is no error."""
    refuses_major_0: bool = False
    refuses_minor_0: bool = False
    needs_end_serial: bool = True
    """beginSerialNo without endSerialNo is refused."""
    ignores_serials: bool = False
    """beginSerialNo and endSerialNo are read over: the window of time is the only filter."""
    ignores_reverse: bool = False
    """timeReverseOrder is read over, and is not among the capabilities."""
    keeps_searches: bool = True
    """The pages of a searchID are of one list. Otherwise records that arrive meanwhile shift them."""
    more_without_records: bool = False
    """Every page says `MORE`, also the one that has no records."""
    leaves_status_out: bool = False
    """A page that has records says neither `MORE` nor `OK`."""
    majors: tuple[int, ...] = (1, 2, 3, 4, 5)
    """Records of other majors are not written."""
    records_logins: bool = False
    """Each new login by Digest is a record, so that who reads the log makes it longer."""
    max_serial: int = 3_000_000_000
    """The serial number after this one is 1."""
    empty_fields: EmptyFields = "left out"
    """How a record shows what it has not: not at all, as 0 and "", or as "null"."""
    hides_names: bool = False
    """No name in a record, although the terminal knows it."""
    picture_host: str = ""
    """The host in the addresses of pictures when it is not the terminal's own: the address that it had before."""


Framing = Literal["multipart", "no blank line", "other delimiter", "json"]


@dataclass(frozen=True)
class PushTraps:
    """The traps of the hosts that a terminal sends its events to, and of the sending."""

    slots: int = 2
    keeps_url: bool = True
    """Otherwise a host is accepted, and its path and httpBroken are lost."""
    takes_hostname: bool = True
    takes_https: bool = True
    takes_delete: bool = True
    """POST adds a host, and DELETE clears one slot or all of them. Otherwise there are no such methods."""
    can_test: bool = True
    needs_ehome: bool = False
    """Slot 1 keeps EHome with 0.0.0.0 and 15300, and ports are 1024 and more; anything else is refused."""
    list_lands_elsewhere: bool = False
    """A list that is put is OK and empties the slots beside those that it names."""
    needs_all_minors: bool = False
    """A list of events names the minors of all four majors, though they be empty."""
    all_sends_no_events: bool = False
    """Who subscribes to all events gets heartbeats alone."""
    tells_no_format: bool = False
    """parameterFormatType reads back empty."""
    framing: Framing = "multipart"
    """The form of what is sent. Without a blank line between header and JSON, or with a delimiter in other letters than
    announced, zero bytes and one delimiter too many, it is no multipart that a library reads."""
    backlog_first: bool = False
    """A host that is set gets everything in the log before what happens now."""
    never_comes: bool = False
    """Nothing is ever sent."""
    stream_is_taken: bool = False
    """Another program is the one listener of alertStream."""
    lost_after_restart: bool = False
    """After a restart nothing is sent until the hosts are read or set."""
