"""Which IP addresses may be connected to."""

from ipaddress import ip_network

import pytest

from hikflask.net.addresses import ANY_ADDRESS, AllowedAddresses


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "224.0.0.251",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%1",
        "fe80::a9fe:a9fe",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd00:c1::1",
        "fd00:c1:ffff::a9fe:a9fe",
        "fd00:42::42",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "4000::1",
    ],
)
def test_some_addresses_are_never_allowed(address: str) -> None:
    everything = AllowedAddresses((ip_network("0.0.0.0/0"), ip_network("::/0")))
    assert not ANY_ADDRESS.allow(address)
    assert not everything.allow(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.64",
        "172.16.0.1",
        "100.64.0.1",
        "8.8.8.8",
        "::1",
        "fd12:3456::1",
        "2a00:1450::1",
        "::ffff:192.168.1.64",
        "2002:c0a8:0140::1",
        "64:ff9b::c0a8:140",
    ],
)
def test_without_networks_any_other_address_is_allowed(address: str) -> None:
    assert ANY_ADDRESS.allow(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("192.168.1.64", True),
        ("::ffff:192.168.1.64", True),
        ("fd12:3456::1", True),
        ("192.168.2.1", False),
        ("127.0.0.1", False),
        ("::1", False),
        ("::ffff:10.0.0.1", False),
        ("2a00:1450::1", False),
    ],
)
def test_with_networks_only_their_addresses_are_allowed(address: str, allowed: bool) -> None:
    networks = (ip_network("192.168.1.0/24"), ip_network("fd12:3456::/32"))
    assert AllowedAddresses(networks).allow(address) is allowed
