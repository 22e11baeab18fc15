"""What a row of a table says: the values by field, checked by the rules of the employee form."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import MAXYEAR, date, datetime, time, timedelta

from hikflask import text_rules
from hikflask.employee_fields import MAX_NAME_LENGTH
from hikflask.models.refusal import Refusal
from hikflask.services.core.dates import today
from hikflask.services.departments import registry as departments
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.services.imports.table import broken_letters, id_rules
from hikflask.services.imports.table.columns import (
    ACTIVE,
    DAYS,
    DEPARTMENT,
    FIRST_NAME,
    LAST_NAME,
    LEFT,
    MIDDLE_NAME,
    MONTH,
    NAME,
    NUMBER,
    PARTS,
    VALID_FROM,
    VALID_TO,
)
from hikflask.services.imports.table.days import moments
from hikflask.services.imports.table.options import Options
from hikflask.services.spreadsheets.csv_writer import with_formula_mark_removed
from hikflask.services.spreadsheets.reader_process import Row
from hikflask.text_rules import folded, storable

# Of a number that is none. Its column is not longer.
MAX_NUMBER_LENGTH = 64
FORMULA = re.compile(r"[=+\-@＝＋－＠]")
# What a spreadsheet shows in place of a value that cannot be computed. In a CSV, and in a row that is corrected,
# nothing else tells it, or a formula, from a text.
NO_VALUE = re.compile(r"#(?:N/A|Н/?Д|[^\W\d][\w/]*[!?])\Z|(?:Err|Ошибка):\d{3}\Z")
# SAP has 3 for who works, 1 for who is away, 0 for who left.
SAP_WORKS = {"3"}
# What userAccountControl of Active Directory has of ordinary accounts, and of those without access.
AD_WORKS, AD_LEFT = {"512", "544", "66048", "66080"}, {"514", "546", "66050", "66082"}
YES = {"да", "yes", "y", "true", "истина", "1", "x", "х", "+", "v", "✓", "✔"}
NO = {"нет", "no", "n", "false", "ложь", "0", "-", "–", "—"}
# What cells say of somebody who left, as folded. In a column that nobody chose such words count within other ones, too.
GONE_ANYWHERE = (
    r"увол(?:ен(?:\(а\)|[ао])?|ил(?:ся|ась)|ьнени[ея]|\.)|(?:уже |больше )?не (?:работает|числится)|"
    r"(?:уже |больше )не сотрудник|снят[ао]? с учета|"
    r"договор (?:прекращен|расторгнут)|расторгнут|бывш\w+ (?:сотрудник|работник)\w*|"
    r"dismissed|terminated|resigned|fired|archived|inactive|deactivated|deprovisioned|offboarded|suspended|laid off|"
    r"passed away|contract (?:has )?ended|ex[- ]?(?:employee|staff|worker)|former (?:employee|staff)|"
    r"left (?:the )?(?:company|job)|no longer (?:works|employed|with us)|leaver|"
    r"ishdan (?:bo.?sha(?:til)?gan|ketgan|chiqqan)|ishlamaydi|ишдан (?:бўша(?:тил)?ган|кетган|чиққан)|ишламайди|"
    r"жұмыстан (?:шыққан|шықты|босатылған|босаған|кеткен|кетті)"
)
GONE_ALONE = (
    r"увол|ув\.?|приказ об увольнении|уш(?:ел|ла)|выбыл(?:\(а\)|а)?|выб\.|рассчитан(?:\(а\)|а)?|"
    r"сокращен(?:\(а\)|а)?|сокр\.|исключен(?:\(а\)|а)?|отчислен(?:\(а\)|а)?|не раб\.?|умер(?:ла)?|"
    r"(?:termination|dismissal|resignation|resign|retired|relieved|abscond(?:ed|ing)|left|quit|withdrawn|exited|"
    r"former|deceased)|bo.?sha(?:til)?gan|бўша(?:тил)?ган"
)
# What other programs call those whom they keep without access. Of a face or a card it says less.
WITHOUT_ACCESS = (
    r"disabled|blocked|заблокирован[ао]?|deleted|удален[ао]?|(?:в )?архив[е]?|не ?актив(?:ен|на|ный)|отключен[ао]?"
)
WITH_A_DAY = (
    rf"(?:\s+(?:с|от|on|since))?(?:[\s,]+(?:[\d./-]+|\d*{MONTH}[^\W\d_]*\.?)(?![^\W\d_]))*(?:\s*(?:г\.?|года))?"
)
GONE = re.compile(rf"(?:{GONE_ANYWHERE}|{GONE_ALONE}|{WITHOUT_ACCESS})\Z")
SAYS_WHO_LEFT = re.compile(rf"\b(?:{GONE_ANYWHERE})(?!\w)|\A(?:{GONE_ALONE}){WITH_A_DAY}\Z")
# The same beside a name, and what stands there alone.
MARK_OF_LEAVING = re.compile(rf"(?:{GONE_ANYWHERE}|{GONE_ALONE}|{WITHOUT_ACCESS}|del\.?|ex\.?|бывш\w*){WITH_A_DAY}\Z")
NOT_ONE_WHO_LEFT = re.compile(r"\b(?:не|not) (?:увол|dismiss|terminat)")
HERE = {"работает", "действующий", "действует", "активен", "активна", "active", "employed", "works", "working"}
# What 1C calls the states of somebody who has not left.
HERE |= {"работа", "отпуск", "основной отпуск", "декрет", "отпуск по уходу за ребенком", "больничный", "командировка"}
HERE |= {"в отпуске", "в декрете", "на больничном", "в командировке", "on leave", "probation"}
HERE |= {"болезнь", "прогул", "прием", "штатный", "основное место работы", "enabled", "current", "onboarding", "member"}
HERE |= {"full-time", "part-time", "full-time permanent", "leave of absence", "ishlaydi", "ишлайди"}
HERE |= {"сотрудник", "normal", "in progress", "notice period", "garden leave", "gardening leave", "parental leave"}
HERE |= {"long term leave", "long-term leave", "военные сборы"}
# The last one of 1C's is followed by leaving.
VACATION = re.compile(r"отпуск(?!.*увол)")
# What happened to somebody last, as HR programs call it; as the reason for leaving the same word may be anything.
EVENTS = {"hire", "hired", "new hire", "hire employee", "rehire", "rehired", "transfer", "promotion", "demotion"}
EVENTS |= {"job change", "position change", "pay change", "pay rate change", "data change", "return from leave"}
EVENTS |= {"прием на работу", "перевод", "перемещение", "кадровое перемещение", "изменение оплаты труда"}
# In a reason: that somebody may stay, or is only away.
MAY_STAY = re.compile(
    r"\b(?:не|нет|not?)\b|отмен|отозв|отзыв|передум|верн|восстанов|заявлени[ея]\b|отработ|план|буд[еу]т|подал|предупр|"
    r"скоро|ожида|отпуск|декрет|больнич|\bleave\b|vacation|sick|matern|\bwill\b|going|\bplan|pending|notice|cancel|"
    r"reinstat|rehire|return|\bsoon\b|expect|\?"
)
A_REASON = re.compile(r"[^\W\d_]{3,}|\b(?:ст|тк)\b|№")
DAY_WITHIN = re.compile(r"\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)(?!\d)|\d{4}-\d\d-\d\d")
# A day without its year, or a month, which may be to come.
PART_OF_A_DAY = re.compile(
    rf"\d[./]\d\d(?!\d)|\d\d?-[^\W\d_]{{3,}}|\d[\s./]*{MONTH}|\b{MONTH}\w*[-\s.,]*\d|"
    r"\b(?:янв|февр|март|апрел|ма[йя]\b|июн|июл|август|сентяб|октяб|нояб|декаб|"
    r"januar|februar|march|april|june|july|august|septem|octob|novem|decem)"
)
GONE_ON = re.compile(rf"(?:{GONE_ANYWHERE}|{GONE_ALONE})[\s,]+(?:(?:с|от|on|since)\s+)?(?=\d)")
# How SAP writes a day.
EIGHT_DIGITS = re.compile(r"(?:19|20|21)\d{6}\Z")
# How Excel keeps a day, and what a cell without the format of a day shows: days since this one.
SERIAL, SERIAL_ZERO = re.compile(r"[1-9]\d{4}(?:\.\d+)?\Z"), datetime(1899, 12, 30)  # noqa: DTZ001 - a day has no zone
# Workbooks that began on a Mac count from 1904.
SINCE_1904 = datetime(1904, 1, 1) - SERIAL_ZERO  # noqa: DTZ001
# What stands beside a first day, and a last one.
BESIDE_A_DAY = {
    VALID_FROM: re.compile(r"(?:со?|from|since)\s+", re.IGNORECASE),
    VALID_TO: re.compile(
        r"(?:до|по|until|till|through|to)\s+(?=.*\d)|\s*\(?(?:включительно|вкл\.?|incl\w*\.?)\)?\Z", re.IGNORECASE
    ),
}
# When a day begins, or ends: a validity has no other times, and 18:00 is neither that day nor the one before.
WHOLE_DAY = {VALID_FROM: {time.min}, VALID_TO: {time.min, time(23, 59), LAST_OF_DAY}}
# How SAP and others write that there is no date. The first day that 1C, Excel, SQL or Unix know is none, either; any
# other one as old has a mistyped year.
NO_DATE = re.compile(r"[\s.:/_]*\Z|00[./]0[01][./](?:0000|1900)|0000-00-00")
FIRST_DAYS = {date(1, 1, 1), date(1601, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1899, 12, 31)}
FIRST_DAYS |= {date(1900, 1, 1), date(1904, 1, 1), date(1969, 12, 31), date(1970, 1, 1)}
FIRST_OF_LEAVING = date(1970, 1, 2)
# How programs write that there is no last day: SAP by the last one that it knows, terminals by theirs.
NO_END = {"бессрочно", "бессрочный", "бессрочная", "без срока", "без ограничений", "не ограничен", "постоянно"}
NO_END |= {"unlimited", "permanent", "never", "no expiry", "no limit", "indefinite", "9999", "2037"}
# What Excel shows of 1/2 where it takes it for a day: 1-Feb, 01.фев, and of 2/26: Feb-26, фев.26; LibreOffice 01/02/26.
SHORT_DAY = re.compile(rf"\d{{1,2}}[-.]{MONTH}\Z|{MONTH}[-.]\d\d\Z|\d\d/\d\d/\d\d\Z", re.IGNORECASE)
# What stands beside a name, or in place of one, and is none.
NOT_A_NAME = re.compile(
    r"\b(?:уволен[аоы]?|увольнени[ея]|вакан(?:т|си[яи])|в (?:декрете|отпуске)|не (?:работает|числится)|"
    r"(?:удален|заблокирован)[ао]?|terminated|dismissed|resigned|inactive|deactivated|disabled|blocked|deleted|"
    r"vacan(?:t|cy)|on leave)\b|"
    r"@|\A[\W\d_]+\Z|†|"
    # As programs write it; Nan and Null are people.
    r"(?-i:\b(?:NULL|null|NaN|nan|None|none)\b)",
    re.IGNORECASE,
)
# Behind a bracket, a comma or a dash a small letter begins a note: (ув.), (fired), - уволилась, “, слесарь”. A day is
# one, too, and a name in a second alphabet; so is a word in brackets that a dot ends, or that alone is in capitals, an
# abbreviation at the end, which of names has only “jr.” and “ст.”, and an asterisk.
BESIDE_A_NAME = re.compile(
    r"[(\[](\w{2,}\.?)[)\]]|(?:[(\[,;/|]|\s[-–—])\s*([^\W\d_])|\d{1,2}\.\d{1,2}|\s/\s|\*|"
    r"\s(?!(?:jr|sr|мл|ст)\.)[a-zа-яё]+\.\Z"
)
# A last word in small letters behind words with capitals is a note, too, but for parts of names.
SMALL_WORD = re.compile(
    r"\b[A-ZА-ЯЁ]\w+ [A-ZА-ЯЁ][\w.]*(?: [A-ZА-ЯЁ][\w.]*)* (?!(?:огл[ыуі]|о[гғ]ли|угли|[кқ][ыиі]з[ыі]|ұлы|ўғли|бек|хан|"
    r"o.?g.?li|ogl[uiy]|ugli|q[iy]z[iy]|kyzy|uly|bek|khan|jr|sr|мл|ст|i{1,3}|iv)\Z)[a-zа-яё]{2,}(?: [a-zа-яё]+)*\Z"
)
# “Smith, John A” and “van der Berg, Zoe”, also below a name of a column without a comma.
SURNAME_FIRST = re.compile(
    r"(?:(?i:van|von|der|den|de|del|della|la|las|los|le|da|di|dos|das|du|ten|ter|el|al|bin|ibn|st\.?|фон|ван|де|дер|аль)"
    r"(?:\s+|[-'’]))*[^\W\d_a-zа-яё][^\W\d_]*(?:[-'’‘ʻ][^\W\d_]+)*\s*,\s*[^\W\d_a-zа-яё][^,]*\Z"
)
# What sets a note apart from a name.
SET_APART = re.compile(r"[()\[\],;/|_]|\s[-–—]\s?")
# How a list calls those who left, above them, in place of their department, and as their group in any other column.
# «Архив» alone is a department of many firms, and «Удалённые сотрудники» work at home.
LEAVERS = (
    r"\bуволенн(?!ыми)|\bуволен[аоы]?\b|\bуволи(?:лись|лся|лась|вши)|\bбывши[ей](?: (?:сотр|раб|персон)| ?\Z)|"
    r"\b(?:не работают|неработающи[ей])|\bвыбывши[ей]|\bсокращенны[ей] (?:сотр|раб)|\bушедши[ей]|"
    r"\b(?:заблокированн|отключенн|исключенн|отчисленн)ы[ей]|\bне ?(?:активн|действующ)[ыи][ей]|"
    r"\bархив(?:ные)? (?:сотр|раб|персон|польз|людей)|\bчерн\w+ спис|\bстоп лист|\bснят\w* с учета|"
    r"\bdismissed|\bterminated|\bfired\b|\bresigned|\bleavers?\b|\bex (?:employ|staff|work)|\b(?:black|block) ?list|"
    r"\bno longer (?:with|work|empl)|\bleft (?:the )?company|\boffboarded|\bdeprovisioned|"
    r"\b(?:former|disabled|deleted|blocked|inactive|archived|deactivated|suspended)"
    r" (?:account|empl|user|staff|pe|work)|"
    r"\bish(?:dan (?:bo.?sha(?:til)?gan|ketgan|chiqqan)|lamay)|\bиш(?:дан (?:бўша(?:тил)?ган|кетган|чиққан)|ламай)|"
    r"жұмыстан (?:шыққан|босатылған|босаған|кеткен)"
)
# The same where nothing else stands there, which elsewhere may be said of an account or a card.
LEAVERS_ALONE = (
    r"удаленные(?! (?:сотр|раб))|уш(?:ли|ел|ла)\b|(?:have |has |who )?left(?: in)? ?\Z|выбыл[иа]?\b|"
    r"сокращенн?ы[ей]? ?\Z|"
    r"(?:исключен|отчислен|отключен|заблокирован)ы?\b|нет доступа|без доступа|"
    r"(?:former|disabled|deleted|blocked|inactive|archived|deactivated|suspended) ?\Z"
)
THOSE_WHO_LEFT = re.compile(rf"{LEAVERS}|\A ?(?:{LEAVERS_ALONE})")
GROUP_OF_LEAVERS = re.compile(LEAVERS)
# A department that may have those who left, or papers, or who works at an age.
ARCHIVE = re.compile(r"\s*(?:архив(?:ные)?|archives?|arxiv|пенсионеры|retired|retirees|alumni)\s*\Z")
# The same as what is done, which has a department in some firms.
LEAVING = re.compile(r"\b(?:увольнени[ея]|terminations?|dismissals?|resignations?)\b")
A_DEPARTMENT = re.compile(r"\b(?:отдел|служб|сектор|бюро|управлени|групп|центр|depart|division|team|office|unit)")
# More words than these, but for those as short as prepositions, say something else.
MAX_WORDS = 4
LONG_WORD, NO_LETTERS = re.compile(r"[^\W\d_]{3,}"), re.compile(r"[\W\d_]+")
# In a path, and in what LDAP calls somebody.
LEVELS = re.compile(r"[/\\|>→]|,(?=\w+=)")
# “As above”, by hand.
DITTO = re.compile(r"[\W_]+\Z|то же\Z|там же\Z", re.IGNORECASE)
# What is written where there is nothing: in any field but those of yes and no; in place of a patronymic words, too.
DASHES = re.compile(r"[-–—−]+\Z")
# How programs write an empty cell: databases, and those in Python. Of a name it is not left out: it may be one.
NOTHING = {"null", "none", "nan", "nil", "n/a", "<na>", "<null>", "(null)", "[null]", r"\n"}
NO_PATRONYMIC = NO | NOTHING | {"отсутствует", "без отчества", "б/о", "жоқ", "yo'q", "йўқ"}
NO_ID = NOTHING | {"new", "tbd", "tba", "tbc", "pending", "unknown", "unassigned"}
NO_DEPARTMENT = NOTHING | {"нет", "0", "б/о", "без отдела", "без подразделения", "(пусто)", "не указан", "(blank)"}
NO_DEPARTMENT |= {"no department", "(empty)"}
WORDS_FOR_NOTHING: dict[str, set[str]] = {
    NUMBER: NO_ID, MIDDLE_NAME: NO_PATRONYMIC, DEPARTMENT: NO_DEPARTMENT
}  # fmt: skip
WORDS_FOR_NOTHING |= {name: set() for name in (NAME, LAST_NAME, FIRST_NAME)}
# How HTML writes a sign, which some programs leave in a CSV.
ENTITY = re.compile(r"&(?:#\d{1,6}|#[xX][0-9A-Fa-f]{1,5}|amp|lt|gt|quot|apos|nbsp);")
# A text as databases write its bytes, and one in quotes.
BLOB, IN_QUOTES = re.compile(r"[Xx]'((?:[0-9A-Fa-f]{2})+)'\Z"), re.compile(r'\A"([^"]*)"\Z')


@dataclass
class Values:
    """What a row says. `leaves`: True: left; False: works here; None: it says nothing of that."""

    number: str
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Refusal] = field(default_factory=dict)
    leaves: bool | None = None


def read(
    row: Row,
    fields: Mapping[str, int],
    options: Options,
    *,
    status: bool = False,
    commas: bool = False,
    hired: Sequence[int] = (),
    since_1904: bool = False,
    reasons: bool = False,
) -> Values | None:
    """Return what a row says, with what is wrong in it; None for a row without anything in its columns.

    A field whose cell is empty, and does not clear what is here, is not in the texts.

    :param fields: field → index of its column.
    :param status: the column of who left is a status: a mere yes in it may as well say that somebody works here.
    :param commas: that of the name is “Last name, First name”: its commas are no part of a name.
    :param hired: the indexes of columns that say when somebody was hired.
    :param since_1904: a number in a column of days counts them from 1904.
    :param reasons: the column of who left says why, too: “resigned”, «по собственному желанию».
    """
    texts = {name: said_in(name, row.cells[index]) for name, index in fields.items()}
    if NAME in texts and (commas or SURNAME_FIRST.match(texts[NAME])):
        texts[NAME] = " ".join(texts[NAME].replace(",", " ").split())
    cells = {name: text_rules.stripped(with_formula_mark_removed(text)) for name, text in texts.items()}
    if not any(cells.values()):
        return None
    cells[NUMBER] = id_rules.applied(cells[NUMBER], options)
    cells |= options.fixed
    if options.sheet_is_department and row.sheet:
        cells[DEPARTMENT] = row.sheet
    number = _shortened(cells[NUMBER], MAX_NUMBER_LENGTH)
    values = Values(number, {NUMBER: number})
    formulas = {
        name
        for name, text in texts.items()
        if fields[name] in row.formulas or NO_VALUE.match(text) or (not row.typed and FORMULA.match(text))
    }
    if row.too_long or row.shifted:
        values.errors[NUMBER] = Refusal(code="row_too_long" if row.too_long else "row_shifted", params={})
    elif not text_rules.is_employee_number(cells[NUMBER]) and NUMBER not in formulas:
        values.errors[NUMBER] = Refusal(code="number_invalid", params={})
    said = {name: text for name, text in cells.items() if text or name in options.clear}
    _read_texts(values, said)
    _read_leaving(values, said, [row.cells[index] for index in hired], status=status, reasons=reasons)
    _read_days(values, said, options, SINCE_1904 if since_1904 else timedelta())
    for name in formulas - values.errors.keys():
        # The words for yes and no are no formulas, though + and - begin like one.
        is_word = name in {LEFT, ACTIVE} and folded(cells[name]) in YES | NO
        if not is_word or fields[name] in row.formulas:
            values.errors[NAME if name in PARTS else name] = Refusal(code="formula", params={})
    _read_notes(values)
    return values


def said_in(name: str, cell: str) -> str:
    """Return what a cell says; "" for a mark that there is nothing."""
    text = text_rules.seen(text_rules.stripped(html.unescape(cell) if ENTITY.search(cell) else cell))
    if blob := BLOB.match(text):
        with suppress(UnicodeDecodeError):
            text = text_rules.seen(bytes.fromhex(blob[1]).decode())
    # A middle name in quotes may be how somebody is called.
    if name in {NAME, LAST_NAME, FIRST_NAME}:
        text = IN_QUOTES.sub(r"\1", text).strip()
    if DASHES.match(text) and name not in {LEFT, ACTIVE}:
        return ""
    return "" if folded(text) in WORDS_FOR_NOTHING.get(name, NOTHING) else text


def are_leavers(department: str) -> bool:
    """Return whether a department is those who left, or within them: “Уволенные 2026”, “Dismissed/Workshop”."""
    return any(_are_called_leavers(level) for level in map(_in_words, LEVELS.split(department)))


def may_be_leavers(department: str) -> bool:
    """Return whether a department, or one above it, is called “Архив” or the like: many firms really have one."""
    return any(ARCHIVE.match(NO_LETTERS.sub(" ", folded(level))) for level in LEVELS.split(department))


def says_who_left(cell: str) -> bool:
    """Return whether a cell of a column that nobody chose says that somebody left, or is in a group of such people."""
    text = folded(cell)
    if NOT_ONE_WHO_LEFT.search(text):
        return False
    groups = (GROUP_OF_LEAVERS.search(words) and _is_short(words) for words in map(_in_words, LEVELS.split(cell)))
    return bool(SAYS_WHO_LEFT.search(text)) or any(groups)


def says_nothing_of_leaving(name: str, cell: str) -> bool:
    """Return whether an answer to who left is none, or that somebody works here; a day to come is one.

    :param name: LEFT or ACTIVE.
    """
    answer = _leaving(name, cell, reasons=False) if cell else "here"
    days = list(moments(GONE_ON.sub("", folded(cell))))
    has_day = days and not _is_no_date(cell) and not any(_has_no_end(cell, moment.date()) for moment in days)
    return answer == "here" or (answer == "not yet" and not has_day)


def is_left(cell: str, *, reasons: bool = False) -> bool:
    """Return whether a cell of a column of who left, or why, says that somebody did."""
    return _leaving(LEFT, cell, reasons=reasons) == "left"


def is_mere_reason(cell: str) -> bool:
    """Return whether a cell says that somebody left in a column of reasons alone, by no word that is known."""
    return (_leaving(LEFT, cell, reasons=True), _leaving(LEFT, cell, reasons=False)) == ("left", "unknown")


def is_day(text: str) -> bool:
    """True for a text that only says a day, with its year in full, its month by name or slashes; 01.02.03 is a code."""
    is_whole = any(str(moment.year) in text for moment in moments(text))
    return is_whole or bool(SHORT_DAY.match(text))


def _are_called_leavers(words: str) -> bool:
    is_of_leaving = LEAVING.search(words) and not A_DEPARTMENT.search(words)
    return _is_short(words) and bool(is_of_leaving or THOSE_WHO_LEFT.search(words))


def _is_short(words: str) -> bool:
    return len(LONG_WORD.findall(words)) <= MAX_WORDS


def _in_words(text: str) -> str:
    # ʻ is within a word.
    return NO_LETTERS.sub(" ", folded(text).replace("'", ""))


def _read_texts(values: Values, cells: Mapping[str, str]) -> None:
    """Read the name, as one text, and the department."""
    if NAME in cells:
        values.texts[NAME] = storable(cells[NAME])
    elif set(PARTS) & cells.keys():
        values.texts[NAME] = storable(" ".join(_parts_of_name(cells)))
    if DEPARTMENT in cells:
        values.texts[DEPARTMENT] = storable(cells[DEPARTMENT])
    for name, required in ((NAME, True), (DEPARTMENT, False)):
        fault = text_rules.fault(values.texts[name], MAX_NAME_LENGTH, required=required) if name in values.texts else ""
        if fault:
            values.errors[name] = Refusal(code=fault, params={"most": MAX_NAME_LENGTH})
            values.texts[name] = _shortened(values.texts[name], 2 * MAX_NAME_LENGTH)
    if DEPARTMENT in values.texts and DEPARTMENT not in values.errors:
        values.texts[DEPARTMENT] = departments.one_spaced(values.texts[DEPARTMENT])


def _parts_of_name(cells: Mapping[str, str]) -> list[str]:
    """Return the parts of a name, without those that the one before has among others: of “Ann Lee” and “Lee” the first.

    Who is called Ali Ali has one in each.
    """
    parts: list[str] = []
    for part in filter(None, map(cells.get, PARTS)):
        words, before = set(folded(part).split()), set(folded(parts[-1]).split()) if parts else set()
        if not words < before:
            parts.append(part)
    return parts


def _read_leaving(
    values: Values, cells: Mapping[str, str], hired: Sequence[str], *, status: bool, reasons: bool
) -> None:
    answers = {name: _leaving(name, cells[name], reasons=reasons) for name in (LEFT, ACTIVE) if cells.get(name)}
    if any(_is_before(cells.get(LEFT, ""), day) for day in hired):
        answers.pop(LEFT)
    if status and folded(cells.get(LEFT, "")) in YES | NO:
        answers.pop(LEFT)
        values.errors[LEFT] = Refusal(code="status_unclear", params={})
    for name, answer in answers.items():
        if answer == "unknown":
            code = "status_unclear" if status and name == LEFT else "left_unreadable"
            values.errors[name] = Refusal(code=code, params={})
    certain = set(answers.values()) - {"not yet"}
    if certain == {"left", "here"}:
        values.errors[ACTIVE] = Refusal(code="left_contradicts", params={})
    elif certain and not values.errors.keys() & {LEFT, ACTIVE}:
        values.leaves = certain == {"left"}
    if values.leaves is not None:
        values.texts[LEFT] = "yes" if values.leaves else "no"


def _read_notes(values: Values) -> None:
    """Refuse a name that says more, or is broken. Of a leaver, who must not stay because of it, that here is kept.

    So is the department here where that of the row is in a branch of those who left.
    """
    department = values.texts.get(DEPARTMENT, "")
    if values.leaves and LEVELS.search(department) and (are_leavers(department) or may_be_leavers(department)):
        del values.texts[DEPARTMENT]
    name = values.texts.get(NAME, "")
    is_broken = broken_letters.are_in(name, name=True)
    if NAME in values.errors or not (is_broken or _is_noted(name)):
        return
    if values.leaves:
        del values.texts[NAME]
    else:
        values.errors[NAME] = Refusal(code="letters_broken" if is_broken else "name_note", params={})


def _is_noted(name: str) -> bool:
    if NOT_A_NAME.search(name.replace("_", " ")) or SMALL_WORD.search(name) or _has_mark_of_leaving(name):
        return True
    notes = BESIDE_A_NAME.finditer(name) if name != name.lower() else ()
    return any(_is_note(note[1] or note[2] or "", name) for note in notes)


def _has_mark_of_leaving(name: str) -> bool:
    """Return whether brackets, a dash or the like set apart a word of leaving, or one ends the name.

    At the end it is one where it is not written as a name is, which may be Left or Умер.
    """
    first, *others = (part.strip() for part in SET_APART.split(name))
    parts = [part for part in (first, *others) if part] if others else []
    words = name.split()
    ends = [" ".join(words[-count:]) for count in range(1, min(len(words), MAX_WORDS))]
    written = [end for end in ends if end.islower() or end.endswith(".") or (end.isupper() and not name.isupper())]
    return any(MARK_OF_LEAVING.match(folded(text)) for text in (*parts, *written))


def _is_note(begins: str, name: str) -> bool:
    is_cut = begins.endswith(".") or (len(begins) > 1 and begins.isupper() and not name.isupper())
    return not begins or begins[0].islower() or is_cut


def _read_days(values: Values, cells: Mapping[str, str], options: Options, later: timedelta) -> None:
    """Read the days of the validity, as YYYY-MM-DD; an empty cell is no limit, where it clears what is here.

    :param later: how much later than Excel for Windows numbers begin to count days.
    """
    for name in DAYS:
        if name not in cells or (_is_no_date(cells[name]) and name not in options.clear):
            continue
        text = "" if _is_no_date(cells[name]) else cells[name]
        serial = (moment + later for moment in _serial(text))
        said = moments(BESIDE_A_DAY[name].sub("", text))
        told = (*said, *serial, *_in_eight_digits(text))
        days = {moment.date() for moment in told if moment.time() in WHOLE_DAY[name]}
        # 12/01/2026 is a day of January or of December.
        day = days.pop() if len(days) == 1 else None
        if name == VALID_TO and _has_no_end(text, day):
            text, day = "", None
        if text and day is None:
            values.errors[name] = Refusal(code="day_unreadable", params={})
        elif day and not text_rules.is_accepted_day(day):
            values.errors[name] = Refusal(code="day_outside", params={})
        values.texts[name] = _shortened(text, MAX_NAME_LENGTH) if name in values.errors else text_rules.written_day(day)


def _has_no_end(text: str, day: date | None) -> bool:
    is_far = day is not None and (day == text_rules.LAST_DAY or day.year == MAXYEAR)
    return is_far or folded(text).rstrip(".") in NO_END


def _shortened(text: str, length: int) -> str:
    """Return a text as it can be stored; one that is longer ends with a mark."""
    text = storable(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _leaving(name: str, text: str, *, reasons: bool) -> str:
    """Return what a cell says: left, here, not yet (which says nothing), or unknown."""
    word = folded(text)
    if GONE.match(word) or word in (YES if name == LEFT else NO | AD_LEFT):
        return "left"
    here = HERE | (NO if name == LEFT else YES | SAP_WORKS | AD_WORKS) | (set() if reasons else EVENTS)
    if word in here or VACATION.match(word):
        return "here"
    if name == ACTIVE:
        return "unknown"
    if _is_no_date(text) or word in NO_END:
        return "not yet"
    # The last day of work is one, and who leaves in two weeks still comes. 12/01/2026 is a day of January or of
    # December: both must agree.
    days = [*moments(GONE_ON.sub("", word)), *_in_eight_digits(word)]
    answers = {"left" if moment.date() < today() else "not yet" for moment in days}
    if any(moment.date() < FIRST_OF_LEAVING for moment in days):
        answers.add("unknown")
    if not answers and (reasons or says_who_left(text)) and word not in EVENTS and _is_reason(text):
        return "left"
    return answers.pop() if len(answers) == 1 else "unknown"


def _is_reason(cell: str) -> bool:
    """Return whether a cell may say why somebody left, and not that it is still to come."""
    text = SAYS_WHO_LEFT.sub("", folded(cell))
    days = [max(moments(day), default=None) for day in DAY_WITHIN.findall(text)]
    is_open = MAY_STAY.search(text) or PART_OF_A_DAY.search(DAY_WITHIN.sub("", text))
    is_over = all(day is not None and day.date() < today() for day in days)
    return bool(A_REASON.search(folded(cell))) and is_over and not is_open


def _is_before(left: str, hired: str) -> bool:
    """Return whether the day of leaving is one before that of hiring, which has come: who left came back."""
    days_left, days_hired = (
        [moment.date() for moment in moments(GONE_ON.sub("", folded(text)))] for text in (left, hired)
    )
    is_before = bool(days_left and days_hired) and max(days_left) < min(days_hired)
    return is_before and max(days_left) >= FIRST_OF_LEAVING and max(days_hired) <= today()


def _is_no_date(text: str) -> bool:
    days = [moment.date() for moment in moments(text)]
    return bool(NO_DATE.match(text)) or (bool(days) and FIRST_DAYS.issuperset(days))


def _in_eight_digits(text: str) -> Iterator[datetime]:
    """Yield the day that SAP writes without signs, in a column of days; elsewhere it may be any number."""
    if EIGHT_DIGITS.match(text):
        with suppress(ValueError):
            yield datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a day has no zone


def _serial(text: str) -> Iterator[datetime]:
    """Yield the moment that a number is in a column of days; in another one it may as well be an amount, or an ID."""
    if SERIAL.match(text):
        yield SERIAL_ZERO + timedelta(seconds=round(float(text) * 86_400))
