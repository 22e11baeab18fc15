"""What the terminal's own page asks for besides. Nothing else of it is played, so these answers are short.

No recording has them. Their forms are public: the language, the groups and pwMgrMode as owners of terminals published
them, RFCardCfgCap and AdminAccessProtocol from Hikvision's guides, the channel as clients of cameras read it. Of the
capabilities of groups only the range of their ids and the methods are public, of custom kinds of person only the paths.
"""

from flask import Response

from hikflask.simulator.http.request_body import Fields, child, json_object
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, declaration, json_reply, xml_reply
from hikflask.simulator.isapi.pagination import MAX_RESULTS, search_result
from hikflask.simulator.terminal.terminal import Terminal

CARD_KINDS = ["EMCard", "M1Card", "CPUCard", "IDCard"]
MAX_GROUPS = 128


def language(terminal: Terminal) -> Response:
    return _xml(terminal, "DeviceLanguage", "<language>English</language>")


def protocols(terminal: Terminal) -> Response:
    """How the terminal can be reached: HTTP and HTTPS."""
    ports = (("HTTP", 80), ("HTTPS", 443))
    rows = (
        f'<AdminAccessProtocol><id>{number}</id><enabled opt="true,false">true</enabled><protocol>{name}</protocol>'
        f'<portNo min="1" max="65535">{port}</portNo></AdminAccessProtocol>'
        for number, (name, port) in enumerate(ports, 1)
    )
    return _xml(terminal, "AdminAccessProtocolList", "".join(rows))


def video_inputs(terminal: Terminal) -> Response:
    """The terminal's one camera."""
    camera = "<id>1</id><inputPort>1</inputPort><videoInputEnabled>true</videoInputEnabled><name>Camera 01</name>"
    return _xml(terminal, "VideoInputChannelList", f"<VideoInputChannel>{camera}</VideoInputChannel>")


def card_kinds(terminal: Terminal) -> Response:  # noqa: ARG001
    return json_reply({"RFCardCfgCap": {"cardType": {"@opt": CARD_KINDS}, "enabled": {"@opt": [True, False]}}})


def password_mode(terminal: Terminal) -> Response:  # noqa: ARG001
    """PINs are set at the terminal itself."""
    return json_reply({"pwMgrMode": "local"})


def group_search(terminal: Terminal) -> Response:
    """Find no groups of attendance: this terminal has none."""
    condition = child(json_object(), "GroupSearchCond")
    found = search_result(terminal.profile, list[Fields](), condition, "GroupInfo", dict)
    return json_reply({"GroupSearchResult": {"searchID": str(condition.get("searchID", "")), **found}})


def group_search_capabilities(terminal: Terminal) -> Response:  # noqa: ARG001
    fields: Fields = {"searchType": {"@opt": ["all", "id"]}, "maxResults": {"@min": 1, "@max": MAX_RESULTS}}
    return json_reply({"GroupSearchCap": {**fields, "supportedMethods": ["post"]}})


def group_capabilities(terminal: Terminal) -> Response:  # noqa: ARG001
    fields: Fields = {"groupId": {"@min": 1, "@max": MAX_GROUPS}}
    return json_reply({"GroupCap": {**fields, "supportedMethods": ["post", "put", "delete"]}})


def person_kinds(terminal: Terminal) -> Response:  # noqa: ARG001
    return json_reply({"CustomPersonnelType": []})


def person_kinds_capabilities(terminal: Terminal) -> Response:  # noqa: ARG001
    return json_reply({"CustomPersonnelTypeCap": {"supportedMethods": ["get"]}})


def _xml(terminal: Terminal, root: str, inner: str) -> Response:
    begin = f'{declaration(terminal.profile.crlf)}<{root} version="2.0" xmlns="{ISAPI_NAMESPACE}">'
    return xml_reply(f"{begin}{inner}</{root}>\n")
