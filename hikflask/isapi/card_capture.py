"""Reads the number of a card that somebody holds to the terminal.

What the vendor allows: GET /ISAPI/AccessControl/CaptureCardInfo, which waits for a card and answers CardInfo with
cardNo, cardType and readerID (ISAPI guide, "Card management"). For how long it waits is not documented, and nothing
cancels it. One client of firmware V4.48 sends a POST of CaptureCardInfoCond in XML to the same path instead.
"""

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.capture import CONNECT_SECONDS, READ_MARGIN
from hikflask.isapi.cards import CARD_NUMBER
from hikflask.isapi.codec import PADDING, checked, fields
from hikflask.isapi.errors import CardTimeout, Nonsense, NotSupported
from hikflask.isapi.persons import BASE

CAPABILITIES = f"{BASE}/capabilities"
PATH = f"{BASE}/CaptureCardInfo"
GET_PATH = f"{PATH}?format=json"
XML_TYPE = "application/xml"
CONDITION = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<CaptureCardInfoCond version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    "<cardReaderNo>1</cardReaderNo><timeout>{seconds}</timeout></CaptureCardInfoCond>"
)


def can_capture(client: Requester) -> bool:
    """Return whether the terminal says that it can read a card. One that does not say so may be able to all the same.

    :raises TerminalError:
    """
    flag = "isSupportCaptureCardInfo"
    return fields(checked(client.request("GET", CAPABILITIES)), "AccessControl", (flag,))[flag].lower() == "true"


def capture(client: Requester, timeout: float) -> str:
    """Wait for a card and return its number as the terminal reports it: as text, with its case and its zeros.

    A lost answer (NoAnswer) means that nobody came, or that the terminal stopped answering: it may be asked again.

    Args: timeout is how many seconds to wait for a card. The terminal may stop earlier.
    :raises CardTimeout: when nobody came. :raises Busy: when somebody else reads a card there.
    :raises NotSupported: when the terminal cannot read one. :raises Nonsense: when it reports no usable number.
    :raises TerminalError:
    """
    read_timeout = (CONNECT_SECONDS, timeout + READ_MARGIN)
    try:
        return _number(checked(client.request("GET", GET_PATH, timeout=read_timeout)))
    except NotSupported:
        body = CONDITION.format(seconds=max(1, int(timeout))).encode()
        answer = client.request("POST", PATH, data=body, content_type=XML_TYPE, timeout=read_timeout)
        return _number(checked(answer))


def _number(answer: Answer) -> str:
    number = fields(answer, "CardInfo", ("cardNo",))["cardNo"].strip(PADDING)
    if not number:
        raise CardTimeout(path=answer.path, http_status=answer.status)
    if not CARD_NUMBER.match(number):
        raise Nonsense(message="no card number", path=answer.path, http_status=answer.status)
    return number
