"""How many interleavings are tried, and the world they are tried in."""

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from hikflask.simulator.profiles import PROFILES, Profile, profile_named
from tests.invariants.actions import Actions
from tests.invariants.properties import Properties
from tests.invariants.world import World, passing_time

PROFILE = "invariants-ci" if os.environ.get("CI") else "invariants"
COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    "stateful_step_count": 12,
    "print_blob": True,
}
settings.register_profile("invariants", max_examples=40, **COMMON)
settings.register_profile("invariants-ci", max_examples=40, derandomize=True, **COMMON)


def profile(name: str) -> Profile:
    """Return a profile; terminals' waiting takes no time here, so two captures may follow within a moment."""
    return dataclasses.replace(profile_named(name), refuse_after_success=0)


@pytest.fixture(scope="session")
def the_world(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The server processes of all worlds."""
    world = World(tmp_path_factory.mktemp("world"), migrated)
    yield world
    world.close()


@pytest.fixture(params=PROFILES)
def world(request: pytest.FixtureRequest, the_world: World) -> Iterator[World]:
    """A fresh world with one terminal of each profile, or with those that a test names."""
    with passing_time():
        the_world.equip(tuple(profile(name) for name in request.param.split()))
        yield the_world


@pytest.fixture
def properties(world: World) -> Properties:
    return Properties(world)


@pytest.fixture
def actions(world: World, properties: Properties) -> Actions:
    return Actions(world, properties)
