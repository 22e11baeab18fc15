"""The names of the calls to terminals, for metrics. The list is fixed, so the number of labels is, too.

A picture has an address that the terminal chose, so all pictures have one name.
"""

from hikflask.isapi import capture, device, events, faces, persons, system_time

PICTURE = "picture"
PATHS = (
    capture.PATH,
    f"{capture.PATH}/capabilities",
    system_time.PATH,
    system_time.JSON_PATH,
    device.INFO,
    device.PERSON_CAPABILITIES,
    device.FACE_CAPABILITIES,
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
NAMES = {(bare := path.partition("?")[0]): bare.removeprefix("/ISAPI/") for path in PATHS}


def name_of(path: str) -> str:
    """Return the name of the call to this path, such as "AccessControl/UserInfo/Record"."""
    return NAMES.get(path.partition("?")[0], PICTURE)
