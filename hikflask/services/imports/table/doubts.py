"""Columns that may have a field for all that is known, and may not: somebody says so before anything is done.

Names of columns are many, and no list has them all. What only looks like a field, what its own cells contradict, and
what speaks of people who left under a name that is not known is asked about, and nothing is read from it before.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from hikflask.services.core.similar_names import has_initials_of
from hikflask.services.imports.table import columns as known
from hikflask.services.imports.table.columns import (
    ACTIVE,
    CYRILLIC,
    DEPARTMENT,
    FIRST_NAME,
    LAST_NAME,
    LEFT,
    MIDDLE_NAME,
    NAME,
    NUMBER,
    PARTS,
)
from hikflask.services.imports.table.values import (
    AD_LEFT,
    GONE,
    NO,
    YES,
    is_left,
    is_mere_reason,
    says_nothing_of_leaving,
    says_who_left,
)
from hikflask.text_rules import folded

# Fields of which a second column is asked about where its cells say something else.
ONLY_ONE = {NUMBER, NAME, LAST_NAME, FIRST_NAME, LEFT}
# So many people with one name are not those who are meant.
TOO_MANY_NAMESAKES = 5
# What counts rows, where the first so many are counted one by one.
NUMBERS, FEW = {"номер", "number"}, 5
# The same beside another column that may have the ID; alone they are counted in some programs.
NUMBERS_BESIDE_OTHERS = {"id", "код", "code", "идентификатор"}
TELEPHONE_OR_CAR = re.compile(r"[+(]?\d(?:[\s()-]*\d){9,14}\Z|[A-ZА-Я]\s?\d{3}\s?[A-ZА-Я]{2}\s?\d{2,3}\Z")
WORD = re.compile(r"[^\W\d_]+")
# Days, as those of a vacation, and no answer to whether somebody left: 0 and 1 may be one.
AMOUNT = re.compile(r"(?![01]\Z)\d{1,3}(?:[.,]\d+)?\Z")
# Whole names whose first word says what stands first.
BEGINS_WITH_A_SURNAME = re.compile(r"фио|фамилияимя")
GIVEN = re.compile(r"имя|(?:employee|person|staff|worker)name\Z")
# How the name of a column with patronymics begins, folded.
PATRONYMIC = re.compile(r"отч(?!ет)|middle|patronym|otasi|отаси|әкесі")
# How a column with the names of visitors is called, folded.
VISITOR = re.compile(
    r"(?:(?:фио|имя) )?(?:посетител[ьяи]|гост[ьяи])|(?:name of )?(?:visitor|guest)s?(?:['’]?s?(?: full)? name)?"
)
# What a column of an unknown name is called that says who left, or who works here. Folded, in separate words.
CALLED_GONE = re.compile(
    r"увол|архив|неактив|заблок|\bудален[аы]?\b|\b(?:пометка|дата) (?:на )?удалени|\bвыбыл|\bвыбыти|\bуш(?:ел|ла)\b|"
    r"(?:причина|дата) ухода|прекращени|\bпропуск сдан|\bобходной|\bчерн\w+ спис|\bстоп.?лист|\bснят[ао]? с учета|"
    r"\bаннулир|\bдата ув\b|"
    r"dismiss|terminat|resign|\bfired|\boffboard|archiv|inactiv|deactiv|disabl|suspend|\bdeleted|\b(?:b?locked)\b|"
    r"\b(?:black|block) ?list|\bexited|\bdate out\b|\blast (?:working )?day\b|\bdate of exit\b|\bterm\.? date|"
    r"\b(?:exit|leave|leaving|separation) (?:reason|date)|\b(?:reason|date) (?:of|for) (?:exit|leaving)|"
    r"\bdeparture date|\bishdan\b|\bишдан\b|жұмыстан"
)
# What the column of who left is called that says why, and of days.
REASON = re.compile(r"причин|основани|приказ|reason|grounds|sabab|сабаб|себе[бп]")
OF_A_DAY = re.compile(r"дата|date|\bday|\bsana|күні|\bс\b")
CALLED_HERE = re.compile(
    r"\bактивн|\bработает|\bдейств(?:ует|ующ)|\bтрудоустроен|\bв штате|\benabled|\bactive|"
    r"\bcurrent (?:empl|staff)|\bemployed"
)
# What may have a status as a code: 0 is who left in SAP, and I in PeopleSoft. Folded.
CALLED_STATUS = re.compile(r"\bstat(?:us)?(?: ?\d)?\b|user account control|\bстатус|\bсостояни")
STATUS_OF_ELSE = re.compile(r"marital|family|семейн|visa|\bвиз|card|карт|consent|согла|document|документ|health|здоров")
CODE = re.compile(r"\w{1,2}\Z")


def recognised_fields(names: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return which column has which field by these names of columns, where their cells do not contradict.

    Of a name in parts and as a whole it is the whole, which is complete, unless that has other words.

    :param sample: the cells of the first rows.
    """
    return _judged(names, sample)[0]


def doubtful(
    names: Sequence[str], sample: Sequence[Sequence[str]], fields: Mapping[str, int], unused: Collection[int]
) -> dict[int, str]:
    """Return the indexes of columns that are to be asked about, with the field that each may have.

    :param fields: field → index of its column, as it was chosen.
    :param unused: the indexes of columns that somebody said not to use.
    """
    decided = {*fields.values(), *unused}
    by_name = {index: field for index, field in _judged(names, sample)[1].items() if index not in decided}
    watch = Watch(names, fields, unused)
    by_cells = {index: field for cells in sample for index, field in watch.doubts_in(cells)}
    return dict(sorted({**by_cells, **by_name}.items()))


class Watch:
    """Looks in each row for what contradicts the columns that were chosen."""

    def __init__(self, names: Sequence[str], fields: Mapping[str, int], unused: Collection[int]) -> None:
        # A page may be answered with any index.
        fields = {field: index for field, index in fields.items() if index < len(names)}
        decided = {*fields.values(), *unused}
        self._open = {index: name for index, name in enumerate(names) if index not in decided}
        claims = {index: known.claim(name) for index, name in self._open.items() if not known.IN_BRACKETS.search(name)}
        self._rivals = [(at, field, fields[field]) for at, field in claims.items() if field in ONLY_ONE & fields.keys()]
        called = {index: known.in_words(name) for index, name in self._open.items()}
        gone = (index for index, name in called.items() if CALLED_GONE.search(name))
        self._gone = [index for index in gone if not known.has_other_meaning(self._open[index])]
        self._here = [index for index, name in called.items() if CALLED_HERE.search(name)]
        self._why = {index for index, name in called.items() if REASON.search(name)}
        statuses = (index for index, name in called.items() if CALLED_STATUS.search(name))
        self._statuses = [index for index in statuses if not STATUS_OF_ELSE.search(called[index])]
        # The first code in each.
        self._first: dict[int, str] = {}
        self._answers = [(field, fields[field]) for field in (LEFT, ACTIVE) if field in fields]

    def doubts_in(self, cells: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the indexes of columns that a row makes doubtful, with the field that each may have."""
        for index, field, chosen in self._rivals:
            if cells[index] and _says_more(field, cells[index], cells[chosen]):
                yield index, field
        # Who works by one column may have left by another one.
        if all(says_nothing_of_leaving(field, cells[index]) for field, index in self._answers):
            yield from self._said_in(cells)
        if not any(cells[index] for _, index in self._answers):
            yield from self._perhaps_said_in(cells)

    def _said_in(self, cells: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the columns that say of somebody that they left."""
        yield from ((index, LEFT) for index in self._gone if is_left(cells[index], reasons=index in self._why))
        yield from ((index, ACTIVE) for index in self._here if folded(cells[index]) in NO)
        yield from ((index, ACTIVE) for index in self._statuses if cells[index] in AD_LEFT)
        yield from ((index, LEFT) for index in self._statuses if GONE.match(folded(cells[index])))
        yield from ((index, LEFT) for index in self._open if cells[index] and says_who_left(cells[index]))

    def _perhaps_said_in(self, cells: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the columns that may say so where none has an answer."""
        yield from ((index, LEFT) for index in self._gone if cells[index] and folded(cells[index]) not in NO)
        codes = ((index, cells[index]) for index in self._statuses if CODE.match(cells[index]))
        yield from (
            (index, ACTIVE) for index, code in codes if self._first.setdefault(index, code) != code or code == "0"
        )


def has_reasons(name: str, cells: Iterable[str]) -> bool:
    """Return whether a column of who left may say why: it is none of days, and does not merely answer yes or no.

    :param cells: those of the first rows in it.
    """
    words = known.in_words(name)
    is_answer = known.claim(name) != LEFT or OF_A_DAY.search(words) or any(folded(cell) in YES | NO for cell in cells)
    return bool(REASON.search(words) or not is_answer)


def is_other_head(names: Sequence[str], cells: Sequence[str], number: int) -> bool:
    """Return whether a row is the header of another table below: it has the names of columns in other places.

    :param number: the index of the column with the ID. One with a digit is no name of a column.
    """
    if any(map(str.isdigit, cells[number])):
        return False
    found = known.recognised(cells)
    return NUMBER in found and len(found) > 1 and not found.items() <= known.recognised(names).items()


def _judged(names: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[dict[str, int], dict[int, str]]:
    """Return which column has which field, and those that may have one: index → field."""
    fields = known.with_names_in_cyrillic(names, sample, known.recognised(names))
    # Of two departments that in words counts, and not its code.
    in_words = [at for at, name in enumerate(names) if known.claim(name) == DEPARTMENT and _has_words(sample, at)]
    if in_words and not _has_words(sample, fields[DEPARTMENT]):
        fields[DEPARTMENT] = in_words[0]
    wholes = [at for at, name in enumerate(names) if _is_the_whole(name, sample, at, fields)]
    if wholes and not {NAME, LAST_NAME} & fields.keys():
        fields[NAME] = wholes[0]
    doubts = {index: field for field, index in fields.items() if _is_of_something_else(names[index])}
    has_parts = {LAST_NAME, FIRST_NAME} <= fields.keys() - doubts.values()
    if has_parts and NAME in doubts.values():
        del doubts[fields[NAME]]
    elif NAME in fields and fields[NAME] not in doubts:
        has_parts = _are_more_than_the_whole(names, sample, fields, doubts)
    if has_parts:
        fields.pop(NAME, None)
    elif NAME in fields and fields[NAME] not in doubts:
        fields = {field: index for field, index in fields.items() if field not in PARTS}
    _judge_cells(names, sample, fields, doubts)
    visitors = [at for at, name in enumerate(names) if VISITOR.fullmatch(folded(name))]
    # An employee beside a visitor is the host.
    if NAME in fields and any(len(_words(cells[at])) > 1 for cells in sample for at in visitors):
        doubts[fields[NAME]] = NAME
    if FIRST_NAME in fields and MIDDLE_NAME not in fields:
        called = (at for at, name in enumerate(names) if at not in fields.values() and PATRONYMIC.match(folded(name)))
        doubts |= {at: MIDDLE_NAME for at in called if any(cells[at] for cells in sample)}
    return {field: index for field, index in fields.items() if index not in doubts}, doubts


def _is_of_something_else(name: str) -> bool:
    """Return whether brackets say what nobody knows: “ФИО (наставник)” are others."""
    return not all(map(known.is_explanation, known.IN_BRACKETS.findall(name)))


def _is_the_whole(name: str, sample: Sequence[Sequence[str]], index: int, fields: Mapping[str, int]) -> bool:
    """Return whether a column of names has all words of the given names beside it, and the surname."""
    given = [fields[part] for part in PARTS if part in fields]
    pairs = [(_words(cells[index]), _words(" ".join(cells[at] for at in given))) for cells in sample]
    told = [(whole, parts) for whole, parts in pairs if whole and parts]
    is_more = all(parts <= whole and any(len(word) > 1 for word in whole - parts) for whole, parts in told)
    return known.claim(name) == NAME and bool(told) and is_more


def _are_more_than_the_whole(
    names: Sequence[str], sample: Sequence[Sequence[str]], fields: dict[str, int], doubts: dict[int, str]
) -> bool:
    """Return whether a name is read from its parts, though a column has it as a whole; that one may be doubtful then.

    Where no cells can be compared, as in another alphabet, the whole counts.
    """
    name, (last, first) = fields[NAME], (fields.get(part) for part in PARTS[:2])
    if last is None:
        return False
    pairs = [
        (cells[name], " ".join(cells[fields[part]] for part in PARTS if part in fields and cells[fields[part]]))
        for cells in sample
        if cells[name] and cells[last] and _is_cyrillic(cells[name]) == _is_cyrillic(cells[last])
    ]
    is_explained = bool(known.IN_BRACKETS.search(names[name]))
    if first is not None and is_explained and (pairs or not any(_is_cyrillic(cells[name]) for cells in sample)):
        return True
    needed = [part for part in (last, first) if part is not None]
    if all(_words(" ".join(cells[part] for part in needed)) <= _words(cells[name]) for cells in sample if pairs):
        return False
    if first is None and GIVEN.match(known.plain_name(names[name])):
        fields[FIRST_NAME] = name
        return True
    if first is None or not all(has_initials_of(whole, parts) for whole, parts in pairs):
        doubts[name] = NAME
    return True


def _judge_cells(
    names: Sequence[str], sample: Sequence[Sequence[str]], fields: dict[str, int], doubts: dict[int, str]
) -> None:
    """Doubt columns whose cells are not what their name says; ФИО above three columns is divided among them."""
    field = next((field for field in (NAME, LAST_NAME) if field in fields), "")
    if field and FIRST_NAME not in fields and (others := list(_goes_on(names, sample, fields[field]))):
        if field == NAME and BEGINS_WITH_A_SURNAME.match(known.plain_name(names[fields[NAME]])):
            fields |= dict(zip(PARTS, (fields.pop(NAME), *others), strict=False))
        else:
            doubts[fields[field]] = field
    # Nobody is called by the surname alone: the rest may be under a name that is not known.
    if LAST_NAME in fields and not {NAME, FIRST_NAME} & fields.keys():
        surnames = (cells[fields[LAST_NAME]] for cells in sample)
        if any(len(_words(surname)) == 1 for surname in surnames):
            doubts[fields[LAST_NAME]] = LAST_NAME
    whole = [cells[fields[NAME]] for cells in sample if NAME in fields and cells[fields[NAME]]]
    if len(whole) >= TOO_MANY_NAMESAKES and len(set(whole)) == 1:
        doubts[fields[NAME]] = NAME
    others = [at for at, name in enumerate(names) if known.UNSURE_FIELD_OF.get(known.plain_name(name)) == NUMBER]
    counters = NUMBERS | (NUMBERS_BESIDE_OTHERS if len(others) > 1 else set())
    if NUMBER in fields and _is_no_id(names[fields[NUMBER]], [cells[fields[NUMBER]] for cells in sample], counters):
        doubts[fields[NUMBER]] = NUMBER
    answers = [cells[fields[LEFT]] for cells in sample] if LEFT in fields else []
    # Words in each row need not be reasons for leaving: nobody would be left.
    is_of_words = len(answers) > 1 and has_reasons(names[fields[LEFT]], answers) and all(map(is_mere_reason, answers))
    if is_of_words or any(map(AMOUNT.match, answers)):
        doubts[fields[LEFT]] = LEFT


def _is_no_id(name: str, cells: Sequence[str], counters: Collection[str]) -> bool:
    """Return whether a name that says little, such as “Номер”, stands above telephones, cars or numbers of rows.

    :param counters: how the columns are called that may count rows.
    """
    word = known.plain_name(name)
    if known.UNSURE_FIELD_OF.get(word) != NUMBER or not cells:
        return False
    counted = [str(place) for place in range(1, len(cells) + 1)]
    is_counted = len(cells) >= FEW and word in counters and list(cells) == counted
    return is_counted or all(map(TELEPHONE_OR_CAR.match, cells))


def _goes_on(names: Sequence[str], sample: Sequence[Sequence[str]], index: int) -> Iterator[int]:
    """Yield the columns beside one, without a name of their own, where the names in it go on."""
    for at in range(index + 1, min(index + len(PARTS), len(names))):
        is_told = any(len(_words(cells[index])) == 1 and _words(cells[at]) for cells in sample)
        if names[at] not in {"", names[index]} or not is_told:
            return
        yield at


def _says_more(field: str, cell: str, chosen: str) -> bool:
    """Return whether a cell says what the one in the chosen column for the same field does not."""
    if field == LEFT:
        return not chosen or (says_nothing_of_leaving(LEFT, chosen) and is_left(cell))
    if field == NUMBER or not chosen:
        return cell != chosen
    is_other_alphabet = _is_cyrillic(chosen) and not _is_cyrillic(cell)
    return not (is_other_alphabet or _words(cell) <= _words(chosen) or has_initials_of(cell, chosen))


def _has_words(sample: Sequence[Sequence[str]], index: int) -> bool:
    return any(_words(cells[index]) for cells in sample)


def _words(text: str) -> set[str]:
    return set(WORD.findall(folded(text)))


def _is_cyrillic(text: str) -> bool:
    return CYRILLIC.search(folded(text)) is not None
