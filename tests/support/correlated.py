"""Finds an EXISTS that names a table of the statement around it once more: it is not about that statement's rows."""

import re
from dataclasses import dataclass, field
from functools import cache

TOKENS = re.compile(r"\w+|[(),.]")
# What ends a list of tables.
AFTER = {"WHERE", "ON", "SET", "GROUP", "ORDER", "LIMIT", "RETURNING", "FOR", "UNION", "HAVING", "VALUES", "USING"}


@dataclass
class _Scope:
    """What stands between two brackets: its tables, and those of each EXISTS within."""

    is_exists: bool = False
    # It is read like a table, so nothing in it is about rows of the statement around it.
    is_table: bool = False
    tables: set[str] = field(default_factory=set)
    within: list[set[str]] = field(default_factory=list)
    lists_tables: bool = False
    expects: bool = False
    expects_alias: bool = False
    last: str = ""


@cache
def named_again(statement: str) -> frozenset[str]:
    """Return the tables that an EXISTS of a statement names though they are those of a statement around it."""
    if "EXISTS" not in statement:
        return frozenset()
    found: set[str] = set()
    scopes, before = [_Scope()], ""
    for token in [*TOKENS.findall(statement), ")"]:
        if token == "(":
            scopes.append(_Scope(is_exists=before == "EXISTS", is_table=scopes[-1].expects))
            scopes[-2].expects = False
        elif token == ")":
            scope = scopes.pop()
            found.update(*(scope.tables & tables for tables in scope.within))
            if scopes and not scope.is_table:
                scopes[-1].within += scope.within + ([scope.tables] if scope.is_exists else [])
        else:
            _read(scopes[-1], token, before)
        before = token
    return frozenset(found)


def _read(scope: _Scope, token: str, before: str) -> None:
    if (token == "FROM" and before != "DISTINCT") or token == "JOIN" or (token == "UPDATE" and not scope.last):
        scope.lists_tables = scope.expects = True
    elif token in AFTER:
        scope.lists_tables = scope.expects = False
    elif token == ",":
        scope.expects = scope.lists_tables
    elif token == "AS" and scope.lists_tables:
        scope.tables.discard(scope.last)
    elif scope.expects:
        scope.tables.add(token)
        scope.expects = False
    scope.last = token
