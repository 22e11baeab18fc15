"""The machine: what its programs say, who holds a TCP port, as far as one may know, and whose clock it follows."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hikflask.diagnosis import Finding, access, good, unknown, wrong


def output(name: str, *arguments: str, seconds: float) -> str:
    """Return what a program prints, or nothing where it is missing, or silent for too long."""
    program = shutil.which(name)
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, and no shell reads it
            [program, *arguments], check=False, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip()


PROCESSES = Path("/proc")
# Columns of /proc/net/tcp, and the state of a socket that listens (proc_net_tcp in the kernel's documentation).
LOCAL_ADDRESS, STATE, ACCOUNT, INODE = 1, 3, 7, 9
LISTENS = "0A"


def listener(port: int) -> str:
    """Return a sentence that names the program on a port, or says who can name it."""
    sockets = dict(_listening(port))
    if not sockets:
        return f"Nothing listens on port {port}."
    programs = sorted(set(_programs(set(sockets))))
    if programs:
        return f"Port {port} is held by {', '.join(programs)}."
    accounts = ", ".join(sorted({access.name_of(number) for number in sockets.values()}))
    return (
        f"Port {port} is held by a program of {accounts}, which {access.account()} may not look at: "
        f"`ss -ltnp sport = :{port}` names it to root."
    )


def _listening(port: int) -> Iterator[tuple[str, int]]:
    """Yield each socket that listens on a port, as processes name it, and the number of its account."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError):  # There is no IPv6, for example.
            for line in (PROCESSES / "net" / name).read_text(encoding="ascii").splitlines()[1:]:
                columns = line.split()
                if columns[STATE] == LISTENS and int(columns[LOCAL_ADDRESS].rpartition(":")[2], 16) == port:
                    yield f"socket:[{columns[INODE]}]", int(columns[ACCOUNT])


def _programs(sockets: set[str]) -> Iterator[str]:
    """Yield the programs that have one of these sockets, of those that this account may look at."""
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                yield f"{(process / 'comm').read_text().strip()} (process {process.name})"


# systemd asks the kernel, which knows whatever program keeps the clock right.
ASK_CLOCK = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
SECONDS = 10.0


def check_clock() -> Iterator[Finding]:
    """Check whether this machine's clock follows a time server."""
    answer = output(*ASK_CLOCK, seconds=SECONDS)
    if answer == "yes":
        yield good("This machine's clock follows a time server.")
    elif answer == "no":
        yield wrong(
            "This machine's clock follows no time server, so terminals may get a wrong time, and right codes of second "
            "factors may be refused: `apt-get install systemd-timesyncd`, and `timedatectl timesync-status` says more."
        )
    else:
        yield unknown(
            "Whether this machine's clock follows a time server cannot be known here, as `timedatectl` is silent: "
            "in a container, look at the machine that it runs on."
        )
