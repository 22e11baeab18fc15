"""The time of day in the zone that the program shows times in."""

from datetime import UTC, datetime

from flask import Flask


def set_local_hour(app: Flask, hour: int) -> None:
    """Set the zone in which it is this hour now."""
    ahead = hour - datetime.now(UTC).hour
    # The signs of these zones are turned around, and none is more than 12 hours behind.
    app.config["TIMEZONE"] = f"Etc/GMT{-(ahead + 24 if ahead < -12 else ahead):+}"
