"""Names that no operator or token may have: in the audit trail they mean a program, or nobody.

Names that only look the same are refused, too.
"""

import unicodedata

# The names in the audit trail and in leases, and how pages say them in Russian.
RESERVED = (
    "nobody",
    "worker",
    "command line",
    "background",
    "неизвестно кто",
    "фоновый обработчик",
    "командная строка",
)
# The audit trail writes this before the name of a token.
OF_TOKENS = "api "
# Characters that show nothing although Unicode counts them as letters or symbols.
BLANK = "\u115f\u1160\u2800"
# Cyrillic and Greek letters that look like Latin ones, as small letters or as capitals.
CYRILLIC = str.maketrans("авекмнорстухіӏѕј", "abekmhopctyxiisj")
GREEK = str.maketrans("αβεικμνορτυχ", "abeikmnoptyx")


def is_reserved(name: str) -> bool:
    """Return True for a name that reads like one of the reserved names."""
    return _as_read(name) in map(_as_read, RESERVED)


def reads_like_token(name: str) -> bool:
    """Return True for a name that reads like a token's in the audit trail."""
    # A small L and a one look like the capital I.
    return _as_read(name)[: len(OF_TOKENS)].replace("l", "i").replace("1", "i") == OF_TOKENS


def _as_read(name: str) -> str:
    """Return a name as people read it: small letters, Latin look-alikes, single spaces, nothing invisible."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(CYRILLIC).translate(GREEK)
    seen = plain.translate(dict.fromkeys(map(ord, BLANK)))
    shown = (letter for letter in seen if unicodedata.category(letter) not in {"Cf", "Mn", "Me"})
    return " ".join("".join(shown).split())
