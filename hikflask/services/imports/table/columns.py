"""Which column has which field, by the names that other programs give to columns, in Russian and English.

A name is known as a whole and not by a part of it: “Код подразделения” is no ID. Whatever has another name is assigned
by hand. tests/spreadsheets/README.md tells where the names are from.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from hikflask import text_rules
from hikflask.text_rules import folded

FIELDS = (
    "number",
    "name",
    "last_name",
    "first_name",
    "middle_name",
    "department",
    "left",
    "active",
    "valid_from",
    "valid_to",
)
NUMBER, NAME, LAST_NAME, FIRST_NAME, MIDDLE_NAME, DEPARTMENT, LEFT, ACTIVE, VALID_FROM, VALID_TO = FIELDS
PARTS, DAYS = (LAST_NAME, FIRST_NAME, MIDDLE_NAME), (VALID_FROM, VALID_TO)
NAMES: dict[str, str] = {
    NUMBER: """
        ID сотрудника | Табельный номер | Табельный № | Табельный | Таб. номер | Таб. № | Таб. ном. | Таб. н. | Т/н
        Табельный номер сотрудника | Табельный номер работника | Номер сотрудника | ID работника
        Личный номер | Персональный номер | ID персоны | Идентификатор сотрудника | Идентификатор персоны
        Employee ID | Employee No. | Employee number | Employee code | Emp. ID | Emp. No. | Emp. code | Staff ID
        Staff No. | Staff number | Person ID | Person No. | Person number | Person code | Personnel No.
        Personnel number | Personnel ID | Payroll number | Pers. No. | Employee reference | hikvision_id | employeeNo
        Employee ID# | EMPLID | AC-No. | Табель №
        Worker ID | Tabel raqami | Tabel raqam | Xodim raqami | Табель рақами | Табельдік нөмірі | Табель нөмірі
    """,
    NAME: """
        ФИО | Ф. И. О. | ФИО сотрудника | ФИО работника | ФИО полностью | Фамилия, имя, отчество
        Фамилия Имя Отчество | Фамилия И.О. | Полное имя | Имя сотрудника | Сотрудник | Работник | Физическое лицо
        Физлицо | Наименование сотрудника | Имя персоны | ФИО персоны | Подразделение / сотрудник
        Организация / подразделение / сотрудник | ФИО физ. лица | ФИО физического лица | ФИО работающего | Ф. И. Ш.
        Фамилия, имя и отчество | Имя работника | Person full name | Name of employee
        Full name | Name | Employee name | Employee full name | Employee | Person name | Person | Staff name
        full_name | Last name, First name | Employee/app. name | Worker | Worker name
        F. I. Sh. | F. I. O. | To‘liq ism | To‘liq ismi | Аты-жөні | Т. А. Ә.
    """,
    LAST_NAME: """
        Фамилия | Фамилия сотрудника | Фамилия работника | Legal last name
        Last name | Surname | Family name | Familiya | Familiyasi | Фамилияси | Тегі
    """,
    # With the patronymic in it, it has all that follows the surname.
    FIRST_NAME: """
        Имя | First name | Given name | Forename | Ism | Ismi | Исми | Аты | Имя Отчество | Имя и отчество
        First names | Given names | Forenames | Other names | Legal first name | First name / MI
        Ismi va sharifi | Ismi sharifi | Аты, әкесінің аты
    """,
    MIDDLE_NAME: """
        Отчество | Отчество сотрудника | Отчество работника | Отч. | Отчество / при наличии
        Middle name | Patronymic | Second name | Otasining ismi | Sharifi | Отасининг исми | Әкесінің аты
    """,
    DEPARTMENT: """
        Отдел | Подразделение | Подразделение организации | Структурное подразделение | Наименование подразделения
        Наименование отдела | Подразд.
        Отдел / подразделение | Место работы | Цех | Департамент | Подразделения
        Организационная единица | Орг. единица | Bo‘lim | Bo‘limi | Бўлим | Бўлими | Бөлім | Бөлімше | Бөлімшесі
        Department | Department name | Dept. | Dept. name | Division | Organizational unit | Org. unit | Person group
    """,
    LEFT: """
        Уволен | Уволена | Уволен(а) | Уволенный | Дата увольнения | Увольнение | Уволен с
        Увольнение Дата | Дата окончания работы
        Left | Has left | Dismissed | Terminated | Termination date | Leaving date | Date left | Dismissal date
        Resigned | Resign date | Resignation date | Relieving date | Employee leave date time
        Ishdan bo‘shagan sana | Ishdan bo‘shagan sanasi | Жұмыстан шыққан күні | Жұмыстан босатылған күні
    """,
    ACTIVE: """
        Активен | Активна | Активный | Работает | Действующий сотрудник
        Active | Is active | is_active | Employed | Account enabled
    """,
    VALID_FROM: """
        Действует с | Действителен с | Действительна с | Действительно с | Срок действия с | Начало действия
        Начало срока действия | Дата начала действия | Дата начала срока действия | Время начала действия
        Время начала срока действия | Начало периода действия | Пропуск с | Пропуск действует с
        Пропуск действителен с | Срок действия пропуска с | Начало действия пропуска | Дата начала действия пропуска
        Доступ с | Начало доступа | Время начала периода действия | Дата начала периода действия
        Valid from | Validity start | Validity from | Start of validity | Valid begin time | Valid start time
        Effective from | Effective time | Effective start | Start time of effective period
        Start of effective period | Access from | Access start | Start datetime | valid_from
    """,
    VALID_TO: """
        Действует по | Действует до | Действителен до | Действителен по | Действительна до | Действительно до | Годен до
        Срок действия | Срок действия до | Срок действия по | Конец действия | Окончание действия
        Окончание срока действия | Дата окончания действия | Дата окончания срока действия | Время окончания действия
        Время окончания срока действия | Окончание периода действия | Пропуск до | Пропуск по | Пропуск действует до
        Пропуск действителен до | Срок пропуска | Срок действия пропуска | Срок действия пропуска до
        Окончание действия пропуска | Дата окончания действия пропуска | Доступ до | Срок доступа | Окончание доступа
        Истекает | Дата истечения | Время окончания периода действия | Дата окончания периода действия
        Valid to | Valid until | Valid till | Valid through | Validity end | Validity to | End of validity
        Valid end time | Effective to | Effective until | Effective end | End time of effective period
        End of effective period | Expiry | Expiry date | Expiry time | Expiration | Expiration date | Expiration time
        Expire date | Expire time | Expires | Expires on | Access until | Access end | Access expires
        Expiry datetime | valid_to
    """,
}
# They count where no other column has the field: of two such columns the other one is meant.
UNSURE: dict[str, str] = {
    # PERCo's «Идентификатор» is a card, and «Номер» often counts rows.
    NUMBER: """
        ID | Идентификатор | Код сотрудника | Код | Номер | Code | Number | User ID
    """,
    NAME: "Display name | User name | Имя пользователя | Студент | Преподаватель",
    DEPARTMENT: """
        Бригада | Кафедра | Участок
        Организация | Организация / подразделение | Группа | Группа пользователей | Цех № | Отдел №
        Organization | Organisation | Group | User group
    """,
    LEFT: """
        Статус | Состояние | Статус сотрудника | Состояние сотрудника | Status | State | Employment status
        Employee status | Worker status
    """,
    # As a Russian HikCentral calls them.
    VALID_FROM: "Время начала",
    VALID_TO: "Время окончания",
}
# The day when somebody was hired. A day of leaving before it is of an earlier employment.
HIRED = """
    Дата приёма | Дата приема на работу | Приём | Приём Дата приёма | Дата принятия на работу
    Дата приёма в организацию | Дата найма | Дата найма на работу | Дата трудоустройства | Дата начала работы
    Принят | Принят на работу | Дата зачисления | Работает с | Ishga qabul qilingan sana | Жұмысқа қабылданған күні
    Hired date | DOJ | Employee hire date | Hire date | Date hired | Hired | Date of hire | Date of joining
    Joining date | Join date | Employment date | Start of employment | Date of employment | Employed since
"""
# Days that say nothing of a validity. A column of days with any other name is asked about: it may be an expiry.
OTHER_DAYS = """
    Дата рождения | День рождения | ДР | Д/р | Год рождения | Рождён | Дата рожд.
    Стаж с | Дата назначения | Дата перевода | Дата оформления
    Дата приказа | Дата договора | Дата трудового договора | Приказ от | Договор от | Дата документа
    Дата выдачи | Дата выдачи паспорта | Паспорт выдан | Когда выдан | Срок действия паспорта | Паспорт действует до
    Дата выдачи пропуска | Дата выдачи карты | Дата создания | Дата изменения | Изменён | Дата регистрации
    Дата добавления | Добавлен | Дата и время создания | Дата события | Время события | Время | Дата и время
    Последняя авторизация | Дата последней авторизации | Последний вход | Дата начала договора
    Tug‘ilgan sana | Tug‘ilgan kuni | Туған күні
    Последний проход | Дата последнего прохода | Дата медосмотра | Медосмотр | Дата инструктажа | Дата обучения
    Дата согласия | Отпуск с | Отпуск по | Начало отпуска | Окончание отпуска | Испытательный срок до
    Birthday | Date of birth | Birth date | Birth day | DOB | Born
    Seniority date | Date of appointment
    Passport issue date | Passport expiry date | Passport valid until | Issue date | Date of issue | Card issue date
    Confirmation date | Scheduled confirmation date | Final confirmation date | Offer date | Date of retirement
    Retirement date | Resignation letter date | Encashment date | Дата выхода на пенсию
    Last sign in | Last sign in date time | Last password change date time
    Order date | Created | Created at | Created on | Creation date | Create time | Date created
    Added | Updated | Updated at | Update time | Modified | Modified at | Modified on | Last modified | Last update
    Enrollment date | Registration date | Registered | Last login | Last access | Last seen | Last event
    Time | Date and time | Event time | Timestamp | Medical examination | Training date | Consent date
"""
# Days of birth and hiring, and when something began or happened, whatever other words the name has; as folded, in
# separate words.
BEGINNING = re.compile(
    r"рожд|родил|birth|\bborn\b|tug.?il|туғил|туған|туылған|"
    r"прием|принят|найм|нанят|трудоустр|зачислен|поступлени\w* на|"
    r"\bhire|\bjoin|\bdoj\b|\bentry date|(?<!last )service date|"
    r"\bstart date|ishga (?:kir|qabul|olin)|ишга (?:кир|қабул|олин)|жұмысқа (?:кір|қабыл|орналас)|"
    r"создан|добавлен|изменен|регистр|выдач|creat|\badded\b|modif|updat|regist|(?:status|job|position|pay) effective|"
    r"отметка времени|timestamp|\blast ?log ?(?:on|in)|последн\w+ (?:вход|проход|авториз|активн)|"
    r"медосм|медицинск|медкомис|флюорогр|\bmedical|tibbiy|тиббий|медициналық"
)
# Beside an end this may be the first day of that validity.
STARTS = re.compile(r"\bstart date")
OF_A_CONTRACT = re.compile(r"договор|контракт|испыт|contract|probation")
OF_A_PASS = re.compile(r"пропуск|доступ|карт|valid|access|\bpass|badge|card|permit")
OF_LEAVING = re.compile(
    r"расторж|прекращ|увольн|terminat|dismiss|resign|\bexit|last (?:day|date)|последн\w+ (?:день|дата)"
)
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)"
# A cell that is a day, with or without a time: 31.12.27, 2030-12-31 23:59:00.000, до 31 декабря 2027 г., 31-Dec-27,
# Friday, December 31, 2027, 2027-yil 31-dekabr; or an end: до конца 2027 года.
LOOKS_LIKE_DAY = re.compile(
    r"""(?:(?:до|по|until|till|through)\s+)?(?:[^\W\d_]{2,11}\.?,?\s+)?
    (?:\d{4}[-./]DD[-./]DD|DD[-./,]DD[-./,]YYYY|DD[./]DD[./]\d\d|DD[ -][^\W\d_]{3,9}\.?[ -]YYYY
    |DD(?:st|nd|rd|th)?[-\s.]{1,2}MONTH[-\s,]{1,2}(?:YYYY|\d\d)|MONTH[-\s]DD(?:st|nd|rd|th)?[-\s,]{1,2}YYYY
    |YYYY[-\s]MONTH[-\s]DD|YYYY[-\s]*(?:yil|йил|ж(?:ыл\w*|\.))[,\s]+DD[-\s][^\W\d_]{3,10})
    (?:[T,\s]+\d[\d:.]+(?:\ ?[AP]M)?Z?)?\s*(?:г\.?|года)?(?:\s+(?:включительно|вкл\.?|incl\w*\.?))?\Z
    |(?:до|по|until|till|through|end\ of|конец)\s+(?:the\s+)?(?:конца\s+|end\s+of\s+)?(?:MONTH\s+)?YYYY
    \s*(?:г\.?|года)?\Z
    """.replace("MONTH", MONTH + r"[^\W\d_]*\.?")
    .replace("YYYY", r"(?:19|20|21)\d\d")
    .replace("DD", r"(?:0?[1-9]|[12]\d|3[01])"),
    re.IGNORECASE | re.VERBOSE,
)
# The same without any sign in it, as SAP writes it. It may be the number of a card, so names of numbers are left out.
LOOKS_LIKE_SAP = re.compile(r"20[2-4]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\Z")
IS_A_NUMBER = re.compile(
    r"номер|[№#]|\bтел|код|\bинн|снилс|счет|документ|карт|phone|\bno\b|number|code|\bu?id\b|card|account"
)
# A month is one where the name speaks of a pass or an end, and so are eight digits that begin with the day.
LOOKS_LIKE_END = re.compile(
    rf"{MONTH}[^\W\d_]*\.?[-\s](?:20\d\d)\s*(?:г\.?|года)?\Z|(?:0?[1-9]|1[0-2])[./]20[2-4]\d\Z|"
    r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])20[2-4]\d\Z",
    re.IGNORECASE,
)
# Excel's number of a day from 1982 to 2037. It may be anything else, so it counts where the name speaks of an end.
LOOKS_LIKE_SERIAL = re.compile(r"(?:[34]\d{4}|50[0-4]\d\d)(?:\.\d+)?\Z")
SPEAKS_OF_AN_END = re.compile(
    r"\b(?:до|по|срок\w*|оконч\w*|истек\w*|until|till|to|end\w*|expir\w*|valid\w*)\b", re.IGNORECASE
)
# The name of a column may have been cut within brackets.
IN_BRACKETS = re.compile(r"[(\[][^)\]]*+(?:[)\]]|(?<=…)\Z)")
# Brackets that explain nothing: with these words in them the column is another one. A word is looked at from the last
# bracket before it alone: a cell may be nothing but brackets.
ANOTHER = re.compile(
    r"[(\[][^][()]*\b(?:стар|прежн|предыд|бывш|архив|план|предпол|ожида|прогноз|должн|руковод|начальник|"
    r"(?<!по )(?<!в )паспорт|логин|карт|код|причин|виз|лет\b|договор|контракт|испыт|"
    r"old|former|previous|archive|plan|expect|schedul|position|title|manager|supervisor|"
    r"(?<!in )passport|login|card|code|id\b|reason|visa|hand|contract|probation)",
    re.IGNORECASE,
)
# Words in brackets that only explain a name, as folded. With any other one nobody knows whose name or ID it is.
EXPLAINS = re.compile(
    r"(?:full|short|полн|целиком|кратк|сокращ|инициал|rus|lat|lot|eng|kir|cyr|uz|kaz|рус|лат|кир|англ|узб|каз|қаз|"
    r"required|optional|обязат|read|digit|sign|character|цифр|знак|симв|сотрудник|работник|employee|worker|person|"
    r"включ|inclusive|organi[sz]|организ|налич|паспорт|passport)\w*|"
    r"name|only|yes|no|y|n|ha|true|false|да|нет|dd|mm|yyyy|hh|ss|дд|мм|гггг|date|day|дата|день|from|to|start|end|as|in|с|по|до|а|при|в"
)
WORD = re.compile(r"[^\W\d_]+")
WITHIN_A_NAME = re.compile(r"_|(?<=[a-zа-я])(?=[A-ZА-Я])")
NUMBER_SIGN, CYRILLIC = re.compile("[#№]"), re.compile("[а-я]")
NOT_A_LETTER = re.compile(r"[\W_]+")
# Each is looked at several times, and so are those of the next table.
NAMES_KEPT = 4_096


def recognised(columns: Sequence[str]) -> dict[str, int]:
    """Return the index of the column of each field that is recognised.

    Of two columns for one field a sure name counts before others, a name without brackets before one with, and the
    first of those that are left.

    :param columns: the texts of the header row.
    """
    plain = [plain_name(column) for column in columns]
    known = [index for index, name in enumerate(plain) if name in FIELD_OF or name in UNSURE_FIELD_OF]
    # A stable sort: a name without brackets comes first.
    order = sorted(known, key=lambda index: bool(IN_BRACKETS.search(columns[index])))
    indexes: dict[str, int] = {}
    for fields in (FIELD_OF, UNSURE_FIELD_OF):
        for index in order:
            field = None if _is_another(columns[index]) else fields.get(plain[index])
            # Beside a surname “User name” is what somebody signs in by.
            if field and not (fields is UNSURE_FIELD_OF and field == NAME and LAST_NAME in indexes):
                indexes.setdefault(field, index)
    whole = plain[indexes[NAME]] if NAME in indexes else ""
    # Beside a surname “Name” is the first name, and beside a first name it may be the surname, so it is asked about.
    if LAST_NAME in indexes and FIRST_NAME not in indexes and whole == "name":
        indexes[FIRST_NAME] = indexes.pop(NAME)
    elif FIRST_NAME in indexes and LAST_NAME not in indexes and whole in {"name", "фио"}:
        del indexes[NAME]
    return {field: indexes[field] for field in FIELDS if field in indexes}


def with_names_in_cyrillic(
    columns: Sequence[str], sample: Sequence[Sequence[str]], fields: Mapping[str, int]
) -> dict[str, int]:
    """Return which column has which field, with names in Cyrillic in place of those that are in Latin letters.

    Of “ФИО (лат)” and “ФИО (рус)” the second one is meant, wherever it stands.

    :param sample: the cells of the first rows.
    """
    indexes = range(len(columns))
    cyrillic = [index for index in indexes if any(CYRILLIC.search(folded(cells[index])) for cells in sample)]
    chosen = dict(fields)
    for field in {NAME, *PARTS} & fields.keys():
        others = (index for index in cyrillic if field in recognised([columns[index]]))
        if chosen[field] not in cyrillic:
            chosen[field] = next((index for index in others if index not in chosen.values()), chosen[field])
    if NAME in chosen and chosen[NAME] not in cyrillic and {chosen.get(part) for part in PARTS[:2]} <= set(cyrillic):
        del chosen[NAME]
    return chosen


def index_of(columns: Sequence[str], name: str) -> int | None:
    """Return the index of the column that somebody named, in any case and with any spaces; None where there is none.

    Its place, from 1, names it, too, alone or in brackets behind its name: of two with the same name nothing else does.
    """
    places = [str(place) for place in range(1, len(columns) + 1)]
    named = [*(column or place for column, place in zip(columns, places, strict=True)), *told_apart(columns), *places]
    plain = list(map(_as_named, (*named, name)))
    index = plain.index(plain[-1])
    return index % len(columns) if index < len(named) else None


def told_apart(columns: Sequence[str]) -> list[str]:
    """Return the names of columns, with the place of each that is there twice, and the place of one without a name."""
    times = Counter(map(_as_named, columns))
    return [
        str(place) if not column else f"{column} ({place})" if times[_as_named(column)] > 1 else column
        for place, column in enumerate(columns, 1)
    ]


def _as_named(column: str) -> str:
    return " ".join(column.split()).casefold()


def with_choices(
    columns: Sequence[str], fields: Mapping[str, int], choices: Iterable[tuple[str, str]]
) -> dict[str, int]:
    """Return which column has which field, with what somebody chose by names in place of what was recognised.

    :param choices: a field and the name of its column, or an empty one for no column.
    :raises ValueError: when there is no such field or column, with an English sentence.
    """
    chosen = dict(fields)
    for field, name in choices:
        if field not in FIELDS:
            raise ValueError(f"FIELD is one of {', '.join(FIELDS)}.")
        chosen.pop(field, None)
        if name.strip():
            index = index_of(columns, name)
            if index is None:
                there = ", ".join(
                    f"“{told}”" for column, told in zip(columns, told_apart(columns), strict=True) if column
                )
                raise ValueError(f"the table has no column “{name}”, but {there}.")
            chosen = {other: at for other, at in chosen.items() if at != index} | {field: index}
    return chosen


def are_side_by_side(
    columns: Sequence[str], sample: Sequence[Sequence[str]], fields: Mapping[str, int], unused: Collection[int] = ()
) -> bool:
    """Return whether a row has two people: the names of the columns of ID and name stand there again, above others.

    :param unused: the indexes of columns that somebody said not to use.
    """
    chosen = [fields[field] for field in (NUMBER, NAME, LAST_NAME) if field in fields]
    others = [
        [
            at
            for at, name in enumerate(columns)
            if at not in {index, *unused} and name and plain_name(name) == plain_name(columns[index])
        ]
        for index in chosen
    ]
    is_again = len(chosen) > 1 and all(others)
    return is_again and any(cells[at] not in {"", cells[chosen[0]]} for cells in sample for at in others[0])


def claim(column: str) -> str:
    """Return the field that a column has by a sure name; "" for none."""
    return "" if _is_another(column) else FIELD_OF.get(plain_name(column), "")


def is_explanation(brackets: str) -> bool:
    """Return whether what a name has in brackets only explains it: “(рус)”, “[Required]”, “(yes/no)”, “(ФИО)”."""
    text = folded(text_rules.mended(brackets.strip("()[]")))
    return plain_name(text) in FIELD_OF or all(map(EXPLAINS.fullmatch, WORD.findall(text)))


def is_status(column: str) -> bool:
    """Return True for a name such as “Status”, of which nobody knows what a mere yes in it means."""
    return UNSURE_FIELD_OF.get(plain_name(column)) == LEFT and not _is_another(column)


def hired_columns(columns: Sequence[str]) -> list[int]:
    """Return the indexes of the columns that say when somebody was hired, be it below the name of a group."""
    names = {index: plain_name(name) for index, name in enumerate(columns) if not _is_another(name)}
    return [index for index, name in names.items() if name in HIRED_NAMES or name.endswith(HIRING_DAYS)]


def unmapped_days(
    columns: Sequence[str], sample: Iterable[Sequence[str]], fields: Mapping[str, int], unused_days: Collection[int]
) -> list[int]:
    """Return the indexes of columns with days of which nobody has said what they are: one may be an expiry.

    Left out, it would make people unlimited, so each is to be mapped, or to be named as not used.

    :param sample: the cells of the first rows.
    :param fields: field → index of its column.
    :param unused_days: the indexes of columns that somebody said not to use.
    """
    undecided = undecided_columns(columns, fields, unused_days)
    return sorted({index for cells in sample for index in day_cells(columns, cells, undecided)})


def undecided_columns(columns: Sequence[str], fields: Mapping[str, int], unused_days: Collection[int]) -> list[int]:
    """Return the indexes of columns that would be an expiry for all that is known, if there are days in them."""
    decided = {*fields.values(), *unused_days}
    left = {index: column for index, column in enumerate(columns) if index not in decided}
    has_end = any(
        SPEAKS_OF_AN_END.search(in_words(column)) and not has_other_meaning(column) for column in left.values()
    )
    return [
        index
        for index, column in left.items()
        if not has_other_meaning(column) or (has_end and STARTS.search(in_words(column)))
    ]


def day_cells(columns: Sequence[str], cells: Sequence[str], indexes: Iterable[int]) -> list[int]:
    """Return those of the indexes whose cell is a day."""
    return [index for index in indexes if index < len(cells) and _is_day(columns[index], cells[index].strip())]


def _is_day(column: str, cell: str) -> bool:
    if LOOKS_LIKE_DAY.match(cell):
        return True
    if LOOKS_LIKE_SAP.match(cell):
        return bool(SPEAKS_OF_AN_END.search(column)) or not IS_A_NUMBER.search(folded(column))
    if LOOKS_LIKE_END.match(cell) and OF_A_PASS.search(folded(column)):
        return True
    is_end = LOOKS_LIKE_SERIAL.match(cell) or LOOKS_LIKE_END.match(cell)
    return bool(is_end and SPEAKS_OF_AN_END.search(column))


def has_other_meaning(column: str) -> bool:
    """Return whether the days of a column are known to be no validity."""
    words = in_words(column)
    is_of_an_end = SPEAKS_OF_AN_END.search(words) or OF_LEAVING.search(words)
    if BEGINNING.search(words) and not is_of_an_end and not (STARTS.search(words) and OF_A_PASS.search(words)):
        return True
    if OF_A_CONTRACT.search(words) and not (OF_A_PASS.search(words) or OF_LEAVING.search(words)):
        return True
    # Whoever is going to leave by “Дата увольнения (план)” has no expiry by it.
    name = plain_name(IN_BRACKETS.sub("", column))
    return name in OTHER_DAY_NAMES or (FIELD_OF | UNSURE_FIELD_OF).get(name, VALID_TO) not in DAYS


def in_words(column: str) -> str:
    """Return a column's name folded, with the words of HireDate or hire_date apart."""
    return folded(WITHIN_A_NAME.sub(" ", text_rules.mended(column)))


@lru_cache(NAMES_KEPT)
def _is_another(column: str) -> bool:
    return ANOTHER.search(folded(text_rules.mended(column))) is not None


@lru_cache(NAMES_KEPT)
def plain_name(column: str) -> str:
    """Return a column's name without case, spaces, punctuation, and an explanation in brackets.

    The sign of a number, beside other words, is one: “Employee #” is no employee.
    """
    name = IN_BRACKETS.sub("", folded(text_rules.mended(column)))
    signed = NUMBER_SIGN.sub("номер" if CYRILLIC.search(name) else "no", name)
    return NOT_A_LETTER.sub("", signed if NOT_A_LETTER.sub("", name) else "")


def _names(text: str) -> set[str]:
    return {plain_name(name) for name in re.split(r"[|\n]", text)} - {""}


def _fields(names: dict[str, str]) -> dict[str, str]:
    return {name: field for field, text in names.items() for name in _names(text)}


FIELD_OF, UNSURE_FIELD_OF = _fields(NAMES), _fields(UNSURE)
HIRED_NAMES, OTHER_DAY_NAMES = _names(HIRED), _names(OTHER_DAYS) | _names(HIRED)
HIRING_DAYS = tuple(name for name in HIRED_NAMES if re.search("дата|date", name))
