"""The names of the calls to terminals, for metrics. The list is fixed, so the number of labels is, too.

A picture has an address that the terminal chose, so all pictures have one name.
"""

from hikflask.isapi import (
    access_config,
    capture,
    device,
    door,
    event_hosts,
    events,
    faces,
    persons,
    right_plans,
    system_time,
)

PICTURE = "picture"
PATHS = (
    capture.PATH,
    f"{capture.PATH}/capabilities",
    system_time.PATH,
    system_time.JSON_PATH,
    device.INFO,
    device.PERSON_CAPABILITIES,
    device.FACE_CAPABILITIES,
    door.STATE,
    door.CAPABILITIES,
    door.CONTROL,
    access_config.SWITCHES,
    access_config.STORAGE,
    event_hosts.PATH,
    event_hosts.SUBSCRIBABLE,
    events.SEARCH,
    events.CAPABILITIES,
    faces.SEARCH,
    faces.SEARCH_DELETE,
    faces.DELETE,
    *(call.value[1] for call in faces.FaceCall),
    persons.RECORD,
    persons.MODIFY,
    persons.SEARCH,
    persons.COUNT,
    persons.DELETE,
    persons.DETAIL_DELETE,
    persons.DELETE_PROCESS,
)
# Calls whose path ends with a number, which is not a part of their name.
NUMBERED = (door.CONTROL, event_hosts.PATH, right_plans.TEMPLATE, right_plans.WEEK)
NAMES = {(bare := path.partition("?")[0]): bare.removeprefix("/ISAPI/") for path in PATHS}


def name_of(path: str) -> str:
    """Return the name of the call to this path, such as "AccessControl/UserInfo/Record"."""
    bare = path.partition("?")[0]
    before, _, number = bare.rpartition("/")
    if before in NUMBERED and number.isdecimal():
        return before.removeprefix("/ISAPI/")
    return NAMES.get(bare, PICTURE)
