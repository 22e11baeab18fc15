"""Names under which a person takes somebody for what no operator did: none may be called so, nor look as if."""

import unicodedata

# What the audit trail and leases say in English (nobody, worker, command line, background), and pages in Russian.
RESERVED = (
    "nobody",
    "worker",
    "command line",
    "background",
    "неизвестно кто",
    "фоновый обработчик",
    "командная строка",
)
# Before the name of a token.
PROGRAM = "api "
# Letters that show nothing: category Cf, marks of variants, and these, which Unicode counts among the others.
BLANK = "\u115f\u1160\u2800"
# Cyrillic and Greek letters in the shape of Latin ones. The small ones stand for the capitals where only those look so.
CYRILLIC = str.maketrans("авекмнорстухіӏѕј", "abekmhopctyxiisj")
GREEK = str.maketrans("αβεικμνορτυχ", "abeikmnoptyx")


def is_reserved(name: str) -> bool:
    """True for a name that is one of these to whoever reads it."""
    return _seen(name) in map(_seen, RESERVED)


def is_programs(name: str) -> bool:
    """True for a name that reads as that of a token."""
    # A small L and a one look like the capital I.
    return _seen(name)[: len(PROGRAM)].replace("l", "i").replace("1", "i") == PROGRAM


def _seen(name: str) -> str:
    """Return a name as the eye takes it: without case and width, look-alikes as Latin letters, one space for many."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(CYRILLIC).translate(GREEK)
    shown = (one for one in plain if unicodedata.category(one) not in {"Cf", "Mn", "Me"} and one not in BLANK)
    return " ".join("".join(shown).split())
