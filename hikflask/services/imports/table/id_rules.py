"""Makes an ID of what a cell says, by the rules that were chosen for the whole table."""

from hikflask.services.imports.table.options import REPLACE, Options
from hikflask.text_rules import TO_LATIN

LATIN = str.maketrans(TO_LATIN)


def applied(text: str, options: Options) -> str:
    """Return the ID that a cell says. A prefix is taken off in any case of its letters; only digits get zeros."""
    prefix = options.strip_prefix
    if options.letters == REPLACE:
        text, prefix = text.translate(LATIN), prefix.translate(LATIN)
    if prefix and text.casefold().startswith(prefix.casefold()):
        text = text[len(prefix) :].strip()
    return text.zfill(options.pad_to) if text.isascii() and text.isdigit() else text
