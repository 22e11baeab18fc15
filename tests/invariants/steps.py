"""What the cases by name do: save or enrol Ivan, let something happen at one moment, and finish what was left open."""

from collections.abc import Callable

from tests.invariants.actions import Actions
from tests.invariants.properties import EVERYTHING, Properties, is_green
from tests.invariants.world import World

IVAN = "1001"
PICTURE, RECORD, SEARCH, MODIFY = "/LOCALS/pic/*", "UserInfo/Record", "UserInfo/Search", "UserInfo/Modify"
SET_UP, DELETE, PROCESS = "FDSetUp", "UserInfoDetail/Delete", "DeleteProcess"


def once(world: World, when: str, path: str, action: Callable[[], object], *, skip: int = 0) -> list[str]:
    """Let something happen at one moment of one request to a path, after so many that are left alone.

    Return a list that names the path as soon as that moment has come.
    """
    requests: list[str] = []
    struck: list[str] = []

    def strike() -> None:
        requests.append(path)
        if len(requests) == skip + 1:
            struck.append(path)
            action()

    simulated = world.simulated[0]
    (simulated.before if when == "before" else simulated.after)(path, strike)
    return struck


def saved(world: World, actions: Actions) -> str:
    """Capture and save; return the hash of the picture."""
    actions.save_capture(actions.capture(0, IVAN, 1, take_over=True))
    return str(world.sql("SELECT sha256 FROM photo ORDER BY id DESC")[0]["sha256"])


def enrolled(world: World, actions: Actions) -> str:
    photo = saved(world, actions)
    actions.settle(IVAN)
    assert is_green(world.sql(EVERYTHING)[0])
    return photo


def face_there(world: World) -> str | None:
    face = world.simulated[0].faces.get(IVAN)
    return face.sha256 if face else None


def finish(world: World, actions: Actions, properties: Properties) -> None:
    """Whatever was left open is due now, and done; the truth holds before and after."""
    world.tick()
    properties.check()
    actions.end_all_trouble()
    properties.check()
    properties.check_end()
