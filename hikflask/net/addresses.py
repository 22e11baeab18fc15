"""Decides which IP addresses this app may connect to.

A person types the address of a terminal or of a webhook's receiver, and it must not lead into other systems. A host
name is resolved once, each address found is checked, and the connection goes to a checked address. So a name that
resolves differently the next time (DNS rebinding) changes nothing.
"""

import ipaddress
import queue
import socket
import threading
from dataclasses import dataclass
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
SocketAddress = tuple[socket.AddressFamily, Any]

# Never allowed, whatever the settings say. Clouds give out keys at their metadata addresses.
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # unspecified; on Linux this host
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "192.0.0.0/24",  # protocol assignments; metadata at 192.0.0.192
        "100.100.100.200/32",  # metadata
        "168.63.129.16/32",  # metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/32",  # Teredo: an IPv4 address in disguise
        "fd00:ec2::/32",  # metadata
        "fd00:c1::/32",  # metadata
        "fd00:42::42/128",  # metadata
        "fd20:ce::254/128",  # metadata
    )
)
# The rest of IPv6 is link-local, multicast, unspecified or reserved.
IPV6_IN_USE = tuple(ipaddress.ip_network(text) for text in ("::1/128", "2000::/3", "fc00::/7"))
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LAST_32_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class AllowedAddresses:
    """The networks that may be connected to. No networks means any address. Addresses in NEVER are always refused."""

    networks: tuple[Network, ...] = ()

    def allow(self, text: str) -> bool:
        """Return True when this IP address may be connected to."""
        address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
        if any(address in network for network in NEVER):
            return False
        if address.version == 6 and not any(address in network for network in IPV6_IN_USE):
            return False
        return not self.networks or any(address in network for network in self.networks)

    def places(self, host: str, port: int, seconds: float) -> list[SocketAddress]:
        """Return the allowed socket addresses of a host; none when it is refused.

        :param seconds: the time-out of the name's resolution.
        :raises OSError: when the name is not resolved.
        """
        return [place for place in _resolve(host, port, seconds) if self.allow(place[1][0])]


ANY_ADDRESS = AllowedAddresses()


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address contains, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour or address


def _resolve(host: str, port: int, seconds: float) -> list[SocketAddress]:
    """Resolve a host name in a separate thread, because the system's resolver has no time-out."""
    answers: queue.SimpleQueue[list[SocketAddress] | OSError] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            infos = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
            answers.put([(family, address) for family, _, _, _, address in infos])
        except OSError as error:
            answers.put(error)
        except UnicodeError as error:
            answers.put(socket.gaierror(socket.EAI_NONAME, str(error)))

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=max(seconds, 0.0))
    except queue.Empty:
        raise socket.gaierror(socket.EAI_AGAIN, "the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
