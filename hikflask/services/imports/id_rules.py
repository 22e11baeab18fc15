"""Makes an ID of what a cell says, by the rules that were chosen for the whole table."""

from hikflask.services.imports.options import REPLACE, Options

# The Cyrillic letters that look like a Latin one, and what they are read as.
LATIN_OF = str.maketrans("АВЕКМНОРСТУХІЈЅаеорсухіјѕ", "ABEKMHOPCTYXIJSaeopcyxijs")


def applied(text: str, options: Options) -> str:
    """Return the ID that a cell says. A prefix is taken off in any case of its letters; only digits get zeros."""
    prefix = options.strip_prefix
    if options.letters == REPLACE:
        text, prefix = text.translate(LATIN_OF), prefix.translate(LATIN_OF)
    if prefix and text.casefold().startswith(prefix.casefold()):
        text = text[len(prefix) :].strip()
    return text.zfill(options.pad_to) if text.isascii() and text.isdigit() else text
