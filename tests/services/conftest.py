"""Services look at photos as fast as possible."""

from typing import Any

import pytest


@pytest.fixture
def settings() -> dict[str, Any]:
    """Nobody looks for faces: that takes longer than all the rest, and has its own tests."""
    return {"FACE_DETECTION": "off"}
