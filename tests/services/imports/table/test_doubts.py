"""What only looks like a field, and what cells contradict, is asked about; plain names of columns are not."""

import pytest

from hikflask.services.imports.table.doubts import Watch, doubtful, has_reasons, is_other_head, recognised_fields

pytestmark = pytest.mark.usefixtures("context")

ID, PARTS = "Таб. №", {"last_name": 1, "first_name": 2}
WITH_PATRONYMIC = ["Имя Отчество", "Имя, отчество", "Имя и отчество", "Ismi va sharifi", "Аты, әкесінің аты"]
PATRONYMICS = ["Отчество сотрудника", "Отч.", "Отчество (при наличии)", "Отчество/при наличии"]
MAYBE_PATRONYMICS = ["Отчество лица", "Middle initial", "Отч-во"]
WHOLE_NAMES = ["ФИО (при наличии)", "ФИО физ. лица", "ФИО работающего", "Фамилия, имя и отчество", "Person Full Name"]
WHOLE_NAMES += ["Name of employee", "Full name (as in passport)", "Ф.И.Ш."]


@pytest.mark.parametrize(
    ("heads", "rows", "fields", "asked"),
    [
        # Brackets of which nobody knows whose name it is, beside sure parts and alone.
        ("Фамилия;Имя;ФИО (наставник)", ["Иванов;Иван;Петрова Анна"], PARTS, {}),
        ("Фамилия;Имя;ФИО (род. падеж)", ["Иванов;Иван;Иванова Ивана"], PARTS, {}),
        ("Фамилия;Имя;ФИО (кратко)", ["Иванов;Иван;Иванов И."], PARTS, {}),
        ("Last name;First name;Full name (emergency contact)", ["Smith;John;Mary Smith"], PARTS, {}),
        ("Last name;First name;ФИО (рус)", ["Smith;John;Смит Джон"], {"name": 3}, {}),
        ("ФИО (наставник)", ["Петрова Анна"], {}, {1: "name"}),
        ("Сотрудник (сокращённо)", ["Иванов И."], {"name": 1}, {}),
        ("Full name [Required]", ["Ann Lee"], {"name": 1}, {}),
        ("Фамилия (девичья);Имя", ["Котова;Анна"], {"first_name": 2}, {1: "last_name"}),
        ("ФИО;Дата увольнения (с прошлого места)", ["Иван;01.02.2020"], {"name": 1}, {2: "left"}),
        ("ФИО;Дата увольнения (план)", ["Иван;01.02.2020"], {"name": 1}, {}),
        # A whole name and its parts.
        ("Фамилия;Имя;ФИО", ["Иванов;Иван;Иванов Иван Ильич"], {"name": 3}, {}),
        ("Фамилия;Имя;Фамилия И.О.", ["Иванов;Иван;Иванов И."], PARTS, {}),
        ("last_name;first_name;name", ["Smith;John;Workshop 1"], PARTS, {3: "name"}),
        ("Фамилия;Имя сотрудника", ["Иванов;Иван"], PARTS, {}),
        ("Фамилия;Имя персоны", ["Иванов;Иванов Иван"], {"name": 2}, {}),
        *(
            (f"{whole};{rest}", ["Иванов Иван Ильич;Иван Ильич", "Ким О.;"], {"name": 1}, {})
            for whole in ("ФИО", "Name")
            for rest in ("Имя Отчество", "Имя", "First name")
        ),
        ("ФИО;Имя;Отчество", ["Иванов Иван Ильич;Иван;Ильич"], {"name": 1}, {}),
        ("ФИО;Имя Отчество", ["Иванов;Иван Ильич"], {"first_name": 2}, {}),
        ("ФИО;Имя", ["Иванов И.;Иван"], {"first_name": 2}, {}),
        ("ФИО;Имя", ["Иван;Иван"], {"first_name": 2}, {}),
        ("Фамилия;Сотрудник", ["Иванов;Петрова Анна"], {}, {1: "last_name", 2: "name"}),
        # A surname alone is no name.
        *((f"Фамилия;{rest}", ["Иванов;Иван Ильич"], PARTS, {}) for rest in WITH_PATRONYMIC),
        *(
            (f"Surname;{rest}", ["Smith;John A"], PARTS, {})
            for rest in ("Other names", "Given names", "First Name / MI")
        ),
        *((f"Фамилия;{rest}", ["Иванов;И.И."], {}, {1: "last_name"}) for rest in ("И.О.", "инициалы", "Должность")),
        ("Last name;Preferred name", ["Smith;John"], {}, {1: "last_name"}),
        ("Фамилия;Отч.", ["Иванов;Ильич"], {"middle_name": 2}, {1: "last_name"}),
        ("Фамилия;Должность", ["Иванов Иван;слесарь"], {"last_name": 1}, {}),
        *((f"Фамилия;Имя;{name}", ["Иванов;Иван;Ильич"], {**PARTS, "middle_name": 3}, {}) for name in PATRONYMICS),
        *((f"Фамилия;Имя;{name}", ["Иванов;Иван;Ильич"], PARTS, {3: "middle_name"}) for name in MAYBE_PATRONYMICS),
        ("Фамилия;Имя;Отчество;Отч. на 01.12", ["Иванов;Иван;Ильич;И."], {**PARTS, "middle_name": 3}, {}),
        *((name, ["Иванов Иван"], {"name": 1}, {}) for name in WHOLE_NAMES),
        ("ФИО;Department;Наименование отдела", ["Иван;12;Цех 1"], {"name": 1, "department": 3}, {}),
        ("ФИО;Отдел;Department name", ["Иван;Цех 1;Shop"], {"name": 1, "department": 2}, {}),
        ("ФИО;Отдел;Цех", ["Иван;12;7"], {"name": 1, "department": 2}, {}),
        # A visitor and the host.
        ("ФИО посетителя;Сотрудник", ["Иванов Иван;Петрова Анна"], {}, {2: "name"}),
        *((f"{name};Employee", ["Ann Lee;Ray Lee"], {}, {2: "name"}) for name in ("Visitor", "Guest name")),
        ("Guest;Employee", ["yes;Ray Lee"], {"name": 2}, {}),
        # Two whole names: what says less is not asked about.
        ("Name;Full name", ["Johnny;John Albert Smith"], {"name": 1}, {2: "name"}),
        ("Сотрудник;Физическое лицо", ["Иванов И. И.;Иванов Иван Ильич"], {"name": 1}, {2: "name"}),
        ("ФИО;Сотрудник", ["Иванов Иван Ильич;Иванов И. И."], {"name": 1}, {}),
        ("ФИО;Сотрудник", ["Иванов Иван Ильич;Иван Иванов"], {"name": 1}, {}),
        ("ФИО;Full name", ["Иванов Иван;Ivanov Ivan"], {"name": 1}, {}),
        ("ФИО;Сотрудник", ["Иванов Иван;", ";Иванов Иван"], {"name": 1}, {2: "name"}),
        ("ФИО;Личный номер", ["Иван;0012"], {"name": 1}, {2: "number"}),
        ("ФИО;Личный номер", ["Иван;1"], {"name": 1}, {}),
        ("ФИО;Личный номер", ["Иван;"], {"name": 1}, {}),
        # A name above several columns.
        ("ФИО;;", ["Иванов;Иван;Ильич"], {**PARTS, "middle_name": 3}, {}),
        ("ФИО;ФИО", ["Иванов;Иван"], PARTS, {}),
        ("Name;", ["John;Smith"], {}, {1: "name"}),
        ("Фамилия;", ["Иванов;Иван"], {}, {1: "last_name"}),
        ("ФИО;", ["Иванов Иван;слесарь"], {"name": 1}, {}),
        ("ФИО", 5 * ["Петрова Анна"], {}, {1: "name"}),
        ("ФИО", [*4 * ["Петрова Анна"], "Иванов Иван"], {"name": 1}, {}),
        # Who left.
        ("Name;Left", ["Ann;12", "Ray;1", "Lee;0"], {"name": 1}, {2: "left"}),
        ("Name;Left", ["Ann;0", "Ray;1", "Lee;yes"], {"name": 1, "left": 2}, {}),
        ("Name;Left", ["Ann;Building A", "Ray;Building B"], {"name": 1}, {2: "left"}),
        ("Name;Left", ["Ann;Better offer", "Ray;"], {"name": 1, "left": 2}, {}),
        ("ФИО;Увольнение", ["Иван;уволен", "Пётр;по с/ж"], {"name": 1, "left": 2}, {}),
        ("Name;Departure date", ["Ann;2026-11-10"], {"name": 1}, {2: "left"}),
        ("Name;Offboarded", ["Ann;yes"], {"name": 1}, {2: "left"}),
        ("ФИО;Увол.", ["Иван;да"], {"name": 1}, {2: "left"}),
        ("Name;Archived", ["Ann;False"], {"name": 1}, {}),
        ("Name;Archived", ["Ann;False", "Ray;True"], {"name": 1}, {2: "left"}),
        ("Name;Enabled", ["Ann;True"], {"name": 1}, {}),
        ("Name;Enabled", ["Ann;True", "Ray;False"], {"name": 1}, {2: "active"}),
        ("ФИО;Примечание", ["Иван;уволена с 05.11.2026"], {"name": 1}, {2: "left"}),
        ("F.I.Sh.;Holati", ["Aziz;Ishdan bo‘shagan"], {"name": 1}, {2: "left"}),
        ("ФИО;Должность;Примечание", ["Увольнов Иван;Архивариус;в отпуске"], {"name": 1}, {}),
        *(
            (f"ФИО;{name}", [f"Иван;{cell}"], {"name": 1}, {2: field})
            for name, cell, field in (
                *(("is_fired", "1", "left"), ("is_blocked", "1", "left"), ("is_deleted", "1", "left")),
                *(("isDeleted", "True", "left"), ("Удалён", "Да", "left"), ("Пометка удаления", "Да", "left")),
                *(("Выбыл", "Да", "left"), ("Ушёл", "+", "left"), ("Причина ухода", "Переезд", "left")),
                *(("Exit reason", "Better offer", "left"), ("Leave reason", "Move", "left")),
                *(("Основание прекращения", "ст. 77", "left"), ("Пропуск сдан", "да", "left")),
                *(
                    ("Черный список", "Да", "left"),
                    ("Last event", "Termination", "left"),
                    ("Действует", "Нет", "active"),
                ),
                *(
                    ("Трудоустроен", "Нет", "active"),
                    ("Current employee", "No", "active"),
                    ("user_enabled", "0", "active"),
                ),
                *(
                    ("Прим.", "ув. 30.11", "left"),
                    ("Прим.", "увол. 30.11.2026", "left"),
                    ("Прим.", "рассчитана", "left"),
                ),
                *(("Прим.", "договор прекращён", "left"), ("Прим.", "ушла", "left"), ("Прим.", "выбыл(а)", "left")),
                *(("Прим.", "уже не сотрудник", "left"), ("Прим.", "сокращен(а)", "left"), ("Notes", "quit", "left")),
                *(("Notes", "no longer works", "left"), ("Notes", "Left 30.11.2026", "left")),
                # Groups of those who left, in any column.
                *(("Категория", "Уволенные", "left"), ("Группа доступа", "Disabled Users", "left")),
                *(("Папка", "/Leavers", "left"), ("OU", "OU=Disabled Users,DC=x", "left")),
                *(("distinguishedName", "CN=Ann,OU=Уволенные,DC=x", "left"), ("Person type", "Blocklist user", "left")),
                *(("userAccountControl", "514", "active"), ("userAccountControl", "66050", "active")),
                *(("Block List", "Yes", "left"), ("Exited", "Yes", "left"), ("Стоп-лист", "Да", "left")),
                *(("Снят с учета", "Да", "left"), ("Аннулирован", "Да", "left")),
                *(("Состояние пропуска", "Заблокирован", "left"), ("Account status", "Disabled", "left")),
                *((name, "31.12.2035", "left") for name in ("Дата ув.", "DATE_OUT", "Last Day", "Last working day")),
                *((name, "31.12.2035", "left") for name in ("Date of Exit", "Company Exit Date", "Term. Date")),
                *(("Прим.", "увол. пр. 45", "left"), ("Прим.", "умер", "left"), ("Notes", "left 12 Oct", "left")),
                *(("Прим.", "жұмыстан кетті", "left"), ("User state", "Suspended", "left")),
            )
        ),
        # SAP's code of who left is 0, and those of other programs are letters.
        ("Name;Stat2", ["Ann;3", "Ray;0"], {"name": 1}, {2: "active"}),
        ("Name;SAP_STAT2", ["Ann;0"], {"name": 1}, {2: "active"}),
        ("Name;HR_STATUS", ["Ann;A", "Ray;I"], {"name": 1}, {2: "active"}),
        ("ФИО;Статус физлица", ["Иван;1", "Пётр;2"], {"name": 1}, {2: "active"}),
        ("Name;userAccountControl", ["Ann;512", "Ray;66048"], {"name": 1}, {}),
        ("ФИО;Стоп-лист;Отпечаток;Статус карты", ["Иван;Нет;Disabled;Заблокирована"], {"name": 1}, {}),
        ("ФИО;Должность", ["Иван;Специалист по увольнениям", "Пётр;Архивариус", "Лев;Ушу"], {"name": 1}, {}),
        ("Name;Stat2;Marital status;Station", ["Ann;3;M;1", "Ray;3;S;2"], {"name": 1}, {}),
        ("ФИО;Уволен;Stat2", ["Иван;нет;3", "Пётр;да;0"], {"name": 1, "left": 2}, {}),
        ("ФИО;Примечание", ["Иван;ушла в декрет", "Пётр;не уволен", "Лев;сокращенный день"], {"name": 1}, {}),
        ("ФИО;is_fired;Уход;Удалённо", ["Иван;0;18:00;Да"], {"name": 1}, {}),
        ("ФИО;Уволен;Примечание", ["Иван;да;уволен"], {"name": 1, "left": 2}, {}),
        # Who works by one column may have left by another one.
        ("ФИО;Уволен;Заблокирован", ["Иван;нет;Да"], {"name": 1, "left": 2}, {3: "left"}),
        ("ФИО;Уволен;Удалён", ["Иван;нет;Да"], {"name": 1, "left": 2}, {3: "left"}),
        ("ФИО;Уволен;Дата увольнения", ["Иван;нет;01.02.2020"], {"name": 1, "left": 2}, {3: "left"}),
        ("ФИО;Уволен;Дата увольнения", ["Иван;нет;01.02.2035"], {"name": 1, "left": 2}, {}),
        ("ФИО;Активен;Архив", ["Иван;Да;Да"], {"name": 1, "active": 2}, {3: "left"}),
        ("ФИО;Активен;Архивный номер", ["Иван;Да;123"], {"name": 1, "active": 2}, {}),
        ("ФИО;Активен;Причина увольнения", ["Иван;Да;переезд"], {"name": 1, "active": 2}, {3: "left"}),
        ("Name;Status;Suspended", ["Ann;Active;True", "Ray;Active;False"], {"name": 1, "left": 2}, {3: "left"}),
        ("Name;Active;Notes", ["Ann;True;Terminated"], {"name": 1, "active": 2}, {3: "left"}),
        ("Name;Status;Enabled", ["Ann;Active;False"], {"name": 1, "left": 2}, {3: "active"}),
        ("ФИО;Дата увольнения;Причина увольнения", ["Иван;01.02.2035;по с/ж"], {"name": 1, "left": 2}, {}),
        ("ФИО;Дата увольнения;Примечание", ["Иван;01.01.0001;уволен"], {"name": 1, "left": 2}, {3: "left"}),
        ("ФИО;Уволен;HR_STATUS;Прим.", ["Иван;нет;A;не уволен", "Пётр;нет;B;"], {"name": 1, "left": 2}, {}),
        ("ФИО;Дата увольнения;Статус", ["Иван;;Уволен"], {"name": 1, "left": 2}, {3: "left"}),
        ("ФИО;Уволен;Дата увольнения", ["Иван;;01.02.2026"], {"name": 1, "left": 2}, {3: "left"}),
    ],
)
def test_columns_that_may_be_something_else_are_asked_about(
    heads: str, rows: list[str], fields: dict[str, int], asked: dict[int, str]
) -> None:
    names = [ID, *heads.split(";")]
    sample = [[str(number), *row.split(";")] for number, row in enumerate(rows, 1)]

    found = recognised_fields(names, sample)

    assert (found, doubtful(names, sample, found, ())) == ({"number": 0, **fields}, asked)
    assert doubtful(names, sample, found, asked) == {}
    chosen = {field: index for index, field in asked.items()}
    assert doubtful(names, sample, found | chosen, found.values()) == {}


def test_column_of_who_left_says_why_unless_it_is_one_of_days_or_a_status() -> None:
    reasons = ["Увольнение", "Уволен (да/нет)", "Left", "Resigned", "Причина увольнения", "exit_reason"]
    others = ["Дата увольнения", "Уволен с", "Date left", "Статус", "Last event", "Примечание", "is_fired"]

    assert [name for name in reasons + others if has_reasons(name, [])] == reasons
    assert [has_reasons("Увольнение", ["", cell]) for cell in ("", "resigned", "да", "Нет", "0")] == [
        True,
        True,
    ] + 3 * [False]


@pytest.mark.parametrize(
    ("head", "ids", "is_asked"),
    [
        ("Номер", ["1", "2", "3", "4", "5"], True),
        ("Номер", ["1", "2", "3", "4", "6"], False),
        ("Номер", ["1", "2"], False),
        ("ID", ["1", "2", "3", "4", "5"], False),
        ("ID;Номер", ["1;17", "2;23", "3;12", "4;9", "5;8"], True),
        ("Код;ID", ["1;17", "2;23", "3;12", "4;9", "5;8"], True),
        ("ID;Номер", ["11;17", "2;23", "3;12", "4;9", "5;8"], False),
        ("Номер", ["998901234567", "+7 (912) 345-67-89"], True),
        ("Табельный номер", ["998901234567"], False),
        ("Номер", ["998901234567", "0012"], False),
        ("Number", ["А123ВС77"], True),
    ],
)
def test_what_is_no_id_though_it_has_a_number_is_asked_about(head: str, ids: list[str], is_asked: bool) -> None:
    names = [*head.split(";"), "ФИО"]
    sample = [[*number.split(";"), f"Иван {at}"] for at, number in enumerate(ids)]

    found = recognised_fields(names, sample)

    assert doubtful(names, sample, found, ()) == ({0: "number"} if is_asked else {})


def test_row_further_down_is_looked_at_too() -> None:
    watch = Watch([ID, "ФИО", "", "Табельный номер", "Прим."], {"number": 0, "name": 1}, ())

    assert dict(watch.doubts_in(["1", "Иван", "", "", "слесарь"])) == {}
    assert dict(watch.doubts_in(["1", "Иван", "", "2", "уволен"])) == {3: "number", 4: "left"}


@pytest.mark.parametrize(
    ("cells", "is_other"),
    [
        ("Таб. №;Отдел;ФИО", True),
        ("ФИО;Таб. №;Отдел", True),
        ("Таб. №;ФИО;Уволен", True),
        ("Таб. №;ФИО;Отдел", False),
        ("Табельный номер;Сотрудник;Подразделение", False),
        ("Таб. №;ФИО;", False),
        ("Код;;", False),
        ("Иванов;Цех;Работает", False),
        ("12;ФИО;Код", False),
        (";Цех 1;", False),
    ],
)
def test_header_further_down_with_columns_in_other_places_begins_another_table(cells: str, is_other: bool) -> None:
    assert is_other_head(["Таб. №", "ФИО", "Отдел"], cells.split(";"), 0) is is_other
