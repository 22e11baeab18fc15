"""This machine's clock: whether a time server keeps it right."""

from collections.abc import Iterator

from hikflask.diagnosis import Finding, good, programs, unknown, wrong

# systemd asks the kernel, which knows whatever program keeps the clock right.
COMMAND = ("timedatectl", "show", "--property=NTPSynchronized", "--value")
SECONDS = 10.0


def check() -> Iterator[Finding]:
    """Check whether this machine's clock follows a time server."""
    answer = programs.output(*COMMAND, seconds=SECONDS)
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
