"""Programs of the machine that are asked something, and say nothing where they cannot answer."""

import shutil
import subprocess


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
