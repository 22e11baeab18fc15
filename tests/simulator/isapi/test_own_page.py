"""The ten paths that the terminal's own page asks for, and that are played with the least that a client reads."""

from xml.etree import ElementTree

import pytest

from hikflask.simulator.isapi.routes import ACCESS, ATTENDANCE
from tests.simulator.conftest import Client

KINDS = f"{ACCESS}/UserAndRight/CustomPersonnelType"


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        (f"{ACCESS}/UserAndRight/PwMgrParams", {"pwMgrMode": "local"}),
        (KINDS, {"CustomPersonnelType": []}),
        (f"{KINDS}/capabilities", {"CustomPersonnelTypeCap": {"supportedMethods": ["get"]}}),
        (
            f"{ACCESS}/Configuration/RFCardCfg/capabilities",
            {
                "RFCardCfgCap": {
                    "cardType": {"@opt": ["EMCard", "M1Card", "CPUCard", "IDCard"]},
                    "enabled": {"@opt": [True, False]},
                }
            },
        ),
        (
            f"{ATTENDANCE}/group/capabilities",
            {"GroupCap": {"groupId": {"@min": 1, "@max": 128}, "supportedMethods": ["post", "put", "delete"]}},
        ),
        (
            f"{ATTENDANCE}/groupSearch/capabilities",
            {
                "GroupSearchCap": {
                    "searchType": {"@opt": ["all", "id"]},
                    "maxResults": {"@min": 1, "@max": 30},
                    "supportedMethods": ["post"],
                }
            },
        ),
    ],
)
def test_json_is_as_published(client: Client, path: str, answered: dict[str, object]) -> None:
    answer = client.ask("GET", f"{path}?format=json")

    assert (answer.status_code, answer.get_json()) == (200, answered)


@pytest.mark.parametrize(
    ("path", "root", "texts"),
    [
        ("System/DeviceLanguage", "DeviceLanguage", {"language": ["English"]}),
        (
            "System/Video/inputs/channels",
            "VideoInputChannelList",
            {"VideoInputChannel/{*}id": ["1"], "VideoInputChannel/{*}videoInputEnabled": ["true"]},
        ),
        (
            "Security/adminAccesses/capabilities",
            "AdminAccessProtocolList",
            {
                "AdminAccessProtocol/{*}protocol": ["HTTP", "HTTPS"],
                "AdminAccessProtocol/{*}portNo": ["80", "443"],
                "AdminAccessProtocol/{*}enabled": ["true", "true"],
            },
        ),
    ],
)
def test_xml_has_what_clients_read(client: Client, path: str, root: str, texts: dict[str, list[str]]) -> None:
    answer = client.ask("GET", f"/ISAPI/{path}")

    document = ElementTree.fromstring(answer.data)
    assert (answer.status_code, document.tag.rpartition("}")[2]) == (200, root)
    assert {name: [found.text for found in document.iterfind("{*}" + name)] for name in texts} == texts


def test_no_groups_of_attendance_are_found(client: Client) -> None:
    condition = {"searchID": "1", "searchResultPosition": 0, "maxResults": 30, "searchType": "all"}
    answer = client.ask("POST", f"{ATTENDANCE}/groupSearch?format=json", {"GroupSearchCond": condition})

    assert answer.get_json() == {
        "GroupSearchResult": {
            "searchID": "1",
            "responseStatusStrg": "NO MATCH",
            "numOfMatches": 0,
            "totalMatches": 0,
        }
    }
