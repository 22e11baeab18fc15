"""Checks people in the company's LDAP directory: the password by a bind, the role by groups. It only reads.

Every connection is encrypted (ldaps://, or StartTLS), the server's certificate is checked, and referrals are not
followed, so that no password goes anywhere else.

This module is loaded when the directory is asked (ldap_operators.py): ldap3 takes 4 MB.
"""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Any

import ldap3
from flask import current_app
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn, parse_dn

from hikflask.models.accounts import ROLES, login_of
from hikflask.net.client import NAME_SECONDS, cut_off_after
from hikflask.services.accounts.errors import LdapAway
from hikflask.services.core.db import end_read
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)
# Results of a bind that refuse a name or a password; all others are faults of the directory or of the settings.
REFUSED = {"invalidCredentials", "noSuchObject", "invalidDNSyntax", "unwillingToPerform", "inappropriateAuthentication"}
NOBODY = {"success", "noSuchObject"}
TRY_AGAIN_AFTER = 30
# For no more of the directory's answers, each as slow as it may be, a conversation is waited for.
ANSWERS = 12
ANY = "(objectClass=*)"
PRINCIPAL = "msDS-PrincipalName"
# In which attributes groups list their members: by address, or by name.
MEMBER = "(|(member={dn})(uniqueMember={dn})(memberUid={name}))"


@dataclass(frozen=True)
class LdapPerson:
    """Somebody in the directory: the name to sign in with as the directory writes it, and the role by its groups."""

    name: str
    role: str | None


@dataclass(frozen=True)
class Entry:
    """A person's entry: its address, its name, and what Active Directory calls its principal, elsewhere ""."""

    dn: str
    name: str
    principal: str


def check(name: str, password: str, count_try: Callable[[str], None]) -> LdapPerson | None:
    """Return the person whose password the directory accepts, or None.

    :param count_try: called with the address of somebody's entry before the password is tried; not without an account
        of the program's own, since it is not known then.
    :raises LdapAway: when it does not answer, or refuses the program's own account.
    """
    # A bind without a password succeeds for anybody: it is an anonymous one.
    if not (name and password):
        return None
    if not current_app.config["LDAP_BIND_DN"]:
        return _check_as_themselves(name, password)
    with _bound(*_account()) as own:
        entry = _entry(own, name) if own else None
        if own is None or entry is None:
            return None
        count_try(entry.dn)
        with _bound(entry.dn, password) as theirs:
            accepted = theirs is not None
        return LdapPerson(entry.name, _role(own, entry)) if accepted else None


def _check_as_themselves(name: str, password: str) -> LdapPerson | None:
    """Check without an account of the program's own; None when the account that binds is not the one with the name."""
    address = str(current_app.config["LDAP_USER_DN"]).replace("{name}", escape_rdn(name))
    with _bound(address, password) as connection:
        entry = _entry(connection, name) if connection else None
        if connection is None or entry is None:
            return None
        if not _is_bound_as(connection, entry, address):
            log.warning("The directory has somebody else under a name than the one who signs in with it: refused.")
            return None
        return LdapPerson(entry.name, _role(connection, entry))


def _is_bound_as(connection: ldap3.Connection, entry: Entry, address: str) -> bool:
    """Return True when the connection is this entry's, by what the directory answers to "Who am I?" (RFC 4532).

    Active Directory answers `u:` and the value of the entry's msDS-PrincipalName (MS-ADTS 3.1.1.3.4.2.4), others `dn:`
    and an address; one that has no answer is asked about the address of the bind.
    """
    kind, _, value = (connection.extend.standard.who_am_i() or f"dn:{address}").partition(":")
    if kind == "u":
        return bool(entry.principal) and login_of(entry.principal) == login_of(value)
    return [row["dn"] for row in _search(connection, value, ANY, ldap3.BASE, [])] == [entry.dn]


def look_up(name: str) -> LdapPerson | None:
    """Return who somebody is, by the program's own account in the directory; None when nobody is there.

    :raises LdapAway: when the directory does not answer, or refuses the program's own account.
    """
    with _bound(*_account()) as connection:
        entry = _entry(connection, name) if connection else None
        return LdapPerson(entry.name, _role(connection, entry)) if connection and entry else None


def _account() -> tuple[str, str]:
    return current_app.config["LDAP_BIND_DN"], current_app.config["LDAP_BIND_PASSWORD"]


@contextmanager
def _bound(who: str, password: str) -> Iterator[ldap3.Connection | None]:
    """Open a connection as somebody; None when the directory refuses the password. :raises LdapAway:"""
    end_read()
    config = current_app.config
    tls = _Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=config["LDAP_CA"] or None)
    connection = ldap3.Connection(
        ldap3.Server(config["LDAP_URL"], get_info=ldap3.NONE, connect_timeout=config["LDAP_TIMEOUT"], tls=tls),
        who,
        password,
        receive_timeout=ceil(config["LDAP_TIMEOUT"]),
        auto_referrals=False,
        read_only=True,
        check_names=False,
    )
    total = ANSWERS * config["LDAP_TIMEOUT"]
    signs.goes_on(total + NAME_SECONDS)
    try:
        with cut_off_after(total, lambda: connection.socket):
            connection.open()
            if not connection.server.ssl:
                connection.start_tls()
            accepted = connection.bind()
            if not accepted and (connection.result["description"] not in REFUSED or who == config["LDAP_BIND_DN"]):
                raise _away(connection.result["description"])
            yield connection if accepted else None
    except (LDAPException, OSError) as error:
        raise _away(type(error).__name__) from error
    finally:
        with suppress(LDAPException):
            connection.unbind()
        # ldap3 leaves it open where TLS failed.
        if connection.socket is not None:
            connection.socket.close()


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """Python's own defaults of TLS, with its check of the host's name, in place of ldap3's."""

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002
        """Begin TLS on the connection."""
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(connection.socket, server_hostname=connection.server.host)


def _entry(connection: ldap3.Connection, name: str) -> Entry | None:
    """Return the one entry with this name, or None when there is none, or more than one.

    An entry that has several names goes by the one in its address.
    """
    config = current_app.config
    wanted = f"(&{config['LDAP_FILTER']}({config['LDAP_NAME']}={escape_filter_chars(name)}))"
    entries = _search(connection, config["LDAP_BASE"], wanted, ldap3.SUBTREE, [config["LDAP_NAME"], PRINCIPAL])
    if len(entries) != 1:
        return None
    dn, names = str(entries[0]["dn"]), _values(entries[0], config["LDAP_NAME"])
    if len(names) > 1:
        # Others people may give themselves, and one person is one operator.
        kind, value, _ = parse_dn(dn)[0]
        names = [name for name in names if login_of(f"{config['LDAP_NAME']}={name}") == login_of(f"{kind}={value}")]
    return Entry(dn, names[0], "".join(_values(entries[0], PRINCIPAL))) if len(names) == 1 else None


def _values(entry: Any, attribute: str) -> list[str]:
    matching = [values for key, values in entry["attributes"].items() if key.lower() == attribute.lower()]
    return [str(value) for values in matching for value in (values if isinstance(values, list) else [values])]


def _role(connection: ldap3.Connection, entry: Entry) -> str | None:
    """Return the highest role whose group has this member."""
    has = MEMBER.format(dn=escape_filter_chars(entry.dn), name=escape_filter_chars(entry.name))
    groups = current_app.config["LDAP_GROUPS"]
    for role, group in sorted(groups, key=lambda pair: ROLES.index(pair[0]), reverse=True):
        if _search(connection, group, has, ldap3.BASE, ["objectClass"]):
            return str(role)
    return None


def _search(connection: ldap3.Connection, base: str, wanted: str, scope: str, attributes: list[str]) -> list[Any]:
    """Return the entries, or none when there are more than two: a name that several have is nobody's."""
    connection.search(base, wanted, scope, attributes=attributes, size_limit=2)
    result = connection.result["description"]
    if result == "sizeLimitExceeded":
        return []
    if result not in NOBODY:
        raise _away(result)
    return [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]


def _away(why: str) -> LdapAway:
    # Neither the name nor the password is in it.
    log.warning("The directory at %s does not answer as it should: %s", current_app.config["LDAP_URL"], why)
    return LdapAway(seconds=TRY_AGAIN_AFTER)
