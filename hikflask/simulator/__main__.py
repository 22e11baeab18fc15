"""The command line: `python -m hikflask.simulator --port 8081 --password … [--auto-face 2]`."""

import argparse
import os
import signal
import threading
from collections.abc import Sequence

from hikflask.simulator.company_day import DAY_SECONDS, DayPlayer
from hikflask.simulator.profiles import PROFILES, profile_named
from hikflask.simulator.server import SimulatorServer
from hikflask.simulator.terminal.terminal import Terminal

PASSWORD_VARIABLE = "HIKFLASK_SIMULATOR_PASSWORD"  # noqa: S105 - a name


def main(arguments: Sequence[str] | None = None) -> None:
    """Listen until SIGTERM or SIGINT."""
    parser = _parser()
    options = parser.parse_args(arguments)
    password = options.password or os.environ.get(PASSWORD_VARIABLE)
    if not password:
        parser.error(f"a password is needed: --password or {PASSWORD_VARIABLE}")
    try:
        terminal = Terminal(
            password,
            profile=profile_named(options.profile),
            latency=options.latency,
            auto_face=options.auto_face,
            serial=options.serial,
        )
        for fault in options.fault:
            name, _, argument = fault.partition("=")
            terminal.faults.add(name, argument)
        server = SimulatorServer(terminal, host=options.host, port=options.port, https=options.https)
        player = _player(terminal, options.events) if options.events else None
    except (KeyError, ValueError) as error:
        parser.error(str(error.args[0]))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with server:
        line = f"Terminal {server.terminal.profile.model} at {server.url}/"
        print(f"{line} certificate SHA-256 {server.fingerprint}" if server.fingerprint else line, flush=True)
        if player:
            player.start()
        stopped.wait()
        if player:
            player.stop()


def _player(terminal: Terminal, events: str) -> DayPlayer:
    name, _, seconds = events.partition("=")
    length = float(seconds or DAY_SECONDS)
    if name != "day" or length <= 0:
        raise ValueError("--events takes day, or day=SECONDS with a length above 0")
    return DayPlayer(terminal, length)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hikflask.simulator", description="A Hikvision face terminal to test with."
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="0 chooses a free one")
    parser.add_argument("--password", help=f"of the user admin; or set {PASSWORD_VARIABLE}")
    parser.add_argument("--profile", default="K1T343EFWX", metavar="MODEL", help=", ".join(PROFILES))
    parser.add_argument("--serial", default="", metavar="DIGITS", help="the end of its serial, to tell it from others")
    parser.add_argument("--https", action="store_true", help="with a self-signed certificate made at the start")
    parser.add_argument(
        "--latency", choices=("none", "recorded"), default="none", help="recorded: as slow as a real one"
    )
    parser.add_argument("--auto-face", type=float, metavar="SECONDS", help="a face appears by itself after this time")
    parser.add_argument(
        "--events", metavar="day[=SECONDS]", help=f"its people come and go; a day lasts {DAY_SECONDS:.0f} seconds"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[=ARG]", help="something that goes wrong")
    return parser


if __name__ == "__main__":
    main()
