"""Imports whose photos are looked at as fast as possible."""

from typing import Any

import pytest


@pytest.fixture
def settings() -> dict[str, Any]:
    """Nobody looks for faces: that has its own tests."""
    return {"FACE_DETECTION": "off"}
