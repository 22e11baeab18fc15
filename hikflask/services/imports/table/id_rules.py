"""Makes an ID of what a cell says, by the rules that were chosen for the whole table."""

import re

from hikflask.services.imports.table.options import REPLACE, Options
from hikflask.text_rules import TO_LATIN

LATIN = str.maketrans(TO_LATIN)
# A number as programs write one: 12.0, 12,00, 1 017. Of 12,000 nobody knows whether it is twelve.
NUMBER = re.compile(r"(\d+|\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+)(?:[.,]00?)?\Z")
IN_QUOTES = re.compile(r'\A"([^"]*)"\Z')


def applied(text: str, options: Options) -> str:
    """Return the ID that a cell says. A prefix is taken off in any case of its letters; only digits get zeros."""
    prefix = options.strip_prefix
    text = IN_QUOTES.sub(r"\1", text).strip()
    if options.letters == REPLACE:
        text, prefix = text.translate(LATIN), prefix.translate(LATIN)
    if prefix and text.casefold().startswith(prefix.casefold()):
        text = text[len(prefix) :].strip()
    if number := NUMBER.match(text):
        text = "".join(number[1].split())
    return text.zfill(options.pad_to) if text.isascii() and text.isdigit() else text
