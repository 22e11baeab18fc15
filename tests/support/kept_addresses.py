"""Compiles once how an address is built from its rule; each new app of the tests has the same few hundred."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def keep_compiled() -> None:
    """Let all apps of this process share them: a builder gets its rule when it is called."""
    compile_builder: Callable[[Rule, bool], Builder] = Rule._compile_builder
    kept: dict[Any, Builder] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Builder:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = builder  # type: ignore[assignment, method-assign]
