"""The Russian catalogue says everything that the sources say, and its compiled form is fresh."""

import ast
import io
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "hikflask" / "translations" / "ru" / "LC_MESSAGES"
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "_l", "N_", "gettext")),
    **{"ngettext": (1, 2), "pgettext": ((1, "c"), 2), "Setting": (3,), "_days": (3,)},
}
NAMES = re.compile(r"%\(\w+\)s")
# A person is removed from a terminal (удаляют с него) or photographed at it (фотографируют на нём); this may be either.
UNCLEAR = re.compile(r"\bсн(?:ят|ял|има|им[иуе])\w*[^.!?;:]*?\bсо?\s+(?:\w+\s+)?терминал", re.IGNORECASE)


def catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="ru")


def texts_in_sources() -> set[tuple[str | None, str | tuple[str, ...]]]:
    """Each message with its context: the same English may be another word in Russian as a heading."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(ROOT, methods, options, keywords=KEYWORDS)
    return {(context, message) for _, _, message, _, context in found}


def texts(message: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """A message's texts: one, or one for each form of a plural."""
    assert message is not None
    return (message,) if isinstance(message, str) else tuple(message)


def test_the_catalogue_has_what_the_sources_say_and_no_more() -> None:
    known = {(message.context, message.id) for message in catalogue() if message.id}
    assert known == texts_in_sources()


def test_no_text_hides_in_an_f_string_where_python_3_11_finds_none() -> None:
    for path in (ROOT / "hikflask").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = [node for text in ast.walk(tree) if isinstance(text, ast.JoinedStr) for node in ast.walk(text)]
        calls = [node for node in inside if isinstance(node, ast.Call)]
        named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in KEYWORDS]
        assert [call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)] == [], path


def test_everything_is_translated_and_nothing_is_guessed() -> None:
    messages = [message for message in catalogue() if message.id]
    assert [message.id for message in messages if not all(texts(message.string))] == []
    assert [message.id for message in messages if message.fuzzy] == []


def test_each_translation_uses_only_names_that_are_given() -> None:
    for message in catalogue():
        if message.id:
            given = {name for text in texts(message.id) for name in NAMES.findall(text)}
            assert {name for text in texts(message.string) for name in NAMES.findall(text)} <= given, message.id


def russian_texts() -> list[str]:
    """All that is said in Russian: the catalogue, text by text, and the guides, each as one text."""
    guides = [*sorted((ROOT / "docs" / "ru").glob("*.md")), ROOT / "README.md"]
    said = [text for message in catalogue() if message.id for text in texts(message.string)]
    return said + [path.read_text(encoding="utf-8") for path in guides]


def test_nobody_is_taken_from_a_terminal_in_a_word_that_could_be_either() -> None:
    for before in (
        "Чтобы лицо было на терминале, снимите его с терминала.",
        "Запрошено снять с терминала владельца этого номера",
        "Чтобы сменить его, снимите сотрудника с этого терминала.",
    ):
        assert UNCLEAR.search(before)

    assert [found[0] for text in russian_texts() for found in UNCLEAR.finditer(text)] == []


# Words that gave way to another, so that one thing has one word.
GIVEN_UP = [
    r"(?<!Серийный )\bномер(?!\w* карт)",  # ID
    r"(?<!данных )№.",
    r"захват(?!ить фото с терминала)|захвач(?!ено!)|предъяви",  # снимок, сфотографировать; посмотрите в камеру
    r"\bст[её]р(?!в)|стира",  # удалить
    r"\bмы (?!остановились)|\bнам\b|\bнас\b|\bнаш",  # программа
    r"двойник|не менять|не удалять|для подписи|выйти (везде|там)|где выполнен|фото файлом|по команде|вызовов",
    r"никого нет|никого не ст|деактивировать некого|вам делать нельзя|ваше имя\Z|о чём|откуда|опасно|при пределе",
    r"\bобход|на виду|ещё один отдел|очереди нет|не вернётся\?|которых ждут|(спешат|отстают):|нужен человек|верят об",
    r"добавится:|\bсам открывается|что не так, сказано|зная только пароль|пора сделать|нельзя ни одному|снять веб",
    r"подходить никому|не верн[её]тся,|ничего не посыла|nobody needs to come|does not come back",
    r"\bshall\b|\bwe (?!stopped)|\bours?\b",  # the program
    r"(?<!Serial )(?<!card's )\bnumbers?\b(?<!\ANumber)",  # ID
    r"everywhere|did not write|show your face|do not (change|delete|erase)|form to sign|became of|deactivate many",
    r"(?<!photo )\bround|one more department|in sight|is mailed|person must act|do without|to be added:|come back\?",
    r"\bсними|\bснимать|\bснимают|\bснять (?!(весь )?выбор)|\bснят(ое|о)\b|лицо снят",  # сфотографировать
    r"\Acapture\Z|capture (it|again|one|all the|at this|the (face|employee))|photograph(?! of the face)",  # take
    r"\bсравн(?!ите (его )?с сертификатом)|\bсрок\w* действия|экспорт|задани\w* для многих",
    r"посыла|\bпосл(ан|ал|ать)|\bпошл|захвачено(?!!)|тем временем это|этого ждут|импорта ещё|очищенная",
    r"потеряют (терминалы|доступ:)|сам[аи] добавит|(будет|будут) отменено|сотрудник ушёл|осмотр свободных",
    r"added lately|undone is|program does it|kept columns|in all:|not counted|no consent:",
    r"you may not|your name\Z|sign out (everywhere|there)|nobody (is here|was erased)|on command|takes photo files",
]


@pytest.mark.parametrize("words", GIVEN_UP)
def test_words_that_gave_way_are_in_no_text(words: str) -> None:
    said = [text for message in catalogue() if message.id for text in (*texts(message.id), *texts(message.string))]

    assert [text for text in said if re.search(words, NAMES.sub("…", text), re.IGNORECASE)] == []


# The same in the guides; what other programs write above their columns stays as it is.
GIVEN_UP_IN_GUIDES = (
    r"\bсравнени|\bсрок\w* действия(?! (до|пропуска))|экспорт|посыла|\bпосл(ан|ал|ать)|\bпошл|задани\w* для многих"
)


def test_words_that_gave_way_are_in_no_russian_guide() -> None:
    guides = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "ru").glob("*.md")}

    found = re.compile(GIVEN_UP_IN_GUIDES, re.IGNORECASE)
    assert {name: word[0] for name, text in guides.items() if (word := found.search(text))} == {}


def test_a_terminals_name_is_never_declined_alone() -> None:
    alone = re.compile(r"\b(на|со?|от|у|ко?|обо?|в|по|для|данные|изменить|адресу) «%\((t|terminal)\)s»", re.IGNORECASE)
    assert alone.search("нет фото на «%(t)s»")

    said = [text for message in catalogue() if message.id for text in texts(message.string)]
    assert [text for text in said if alone.search(text)] == []


# Sentences that were agreed on, to the letter.
AGREED = {
    "The terminal's clock is %(time)s fast.": "Часы терминала спешат на %(time)s.",
    "The terminal's clock is %(time)s slow.": "Часы терминала отстают на %(time)s.",
    "The check failed; the reason is below.": "Проверка не пройдена, причина ниже.",
    "Members of a group are enrolled on its terminals automatically.": (
        "Сотрудники группы автоматически записываются на её терминалы."
    ),
    "Add a department": "Добавить отдел в группу",
    "Photo round": "Съёмка по списку",
    "These employees have no face on the terminal yet. Saving opens the next person.": (
        "У этих сотрудников ещё нет лица на терминале. После сохранения сразу откроется следующий сотрудник."
    ),
    "This device seems to be added twice, or was moved.": "Похоже, устройство добавлено дважды или его перенесли.",
    "Person and face are removed from every terminal. A new photo may be needed on return.": (
        "Сотрудник и лицо удаляются со всех терминалов. При возвращении, возможно, понадобится новое фото."
    ),
    "All photos are on the terminal.": "Все фото уже на терминале.",
    "The queue is empty.": "Очередь пуста.",
    "Removals come first, then individual employees, then bulk jobs.": (
        "Сначала удаления, потом отдельные сотрудники, затем массовые задания."
    ),
    "%(new)s new, no changes.": "Новых: %(new)s, изменений нет.",
    "Employee, photos and the record on every terminal are deleted. An unconfirmed removal stays in the list.": (
        "Будут удалены сотрудник, его фото и записи на всех терминалах. Неподтверждённое удаление останется в списке."
    ),
    "Your password alone will not be enough to sign in.": "Для входа одного пароля будет недостаточно.",
    "Is the terminal gone for good?": "Терминал больше не используется?",
    "Nothing more is sent to it.": "Программа больше ничего ему не отправляет.",
    "Ivanov Ivan": "Иванов Иван Иванович",
    "How often the queue is checked.": "Как часто проверяется очередь.",
    "Refused: needs attention": "Отказ: требуется вмешательство",
    "Mail when a terminal stops answering": "Писать, если терминал не отвечает",
    "Mail when a removal is overdue": "Писать, если доступ не снят",
    "Minimum log level; `info` has each request, task and call to a terminal.": (
        "Уровень журнала; в `info` — каждый запрос, задача и вызов терминала."
    ),
    "✅ Photo taken.": "✅ Фото сделано.",
    "no photo on “%(t)s”": "нет фото на терминале «%(t)s»",
    "Not on “%(t)s” any more, as %(who)s stated %(time)s: “%(note)s”. The device itself did not confirm it.": (
        "Удалён с терминала «%(t)s» со слов администратора (%(who)s, %(time)s): «%(note)s». "
        "Само устройство этого не подтвердило."
    ),
    "Without consent: %(n)s": "Без согласия: %(n)s",
    "(it is not required)": "(оно не обязательно)",
    "To be sent to “%(t)s”: %(people)s.": "Будут отправлены на терминал «%(t)s»: %(people)s.",
    "Lose terminals": "Лишатся доступа",
    "lose access: %(n)s of %(all)s": "доступ потеряют %(n)s из %(all)s",
    "Checked, not imported yet": "Проверено, не импортировано",
    "A row that you empty is left out.": "Чтобы пропустить строку, очистите её.",
    "The employee's data changed meanwhile. Look again, please.": (
        "Данные сотрудника успели измениться. Посмотрите ещё раз."
    ),
    "“%(t)s” knows the employee, but has no photo.": "Сотрудник на терминале «%(t)s» есть, но без фото.",
    "Which employee?": "Кто из них?",
    "How long a capture waits for a face.": "Сколько ждать лицо перед камерой.",
    "How long a picture that nobody saved keeps its terminal from other employees.": (
        "Сколько снимок удерживает терминал."
    ),
    "Look at idle terminals": "Опрос свободных терминалов",
    "A backup counts as old after": "Считать копию устаревшей через",
    "The setting is saved.": "Настройка сохранена.",
    "Erasures that wait for it can end; their certificates show your name and what you write here.": (
        "Ожидающие удаления завершатся; в актах будут ваше имя и то, что вы здесь напишете."
    ),
    "Terminal compared with what is desired there": "Терминал сверен со списком",
    "From jobs for many": "В массовых заданиях",
    "There is no photo yet. Take one at the terminal.": "Фото ещё нет. Сфотографируйте сотрудника на терминале.",
    "Recently added": "Недавно добавлены",
    "It will be done as soon as the terminal works again.": "Программа снимет доступ, как только терминал заработает.",
    "Saved columns": "Сохранённые столбцы",
    "Total: %(n)s": "Всего: %(n)s",
}


def test_sentences_that_were_agreed_on_are_said_to_the_letter() -> None:
    known = catalogue()

    assert {english: found.string for english in AGREED if (found := known.get(english))} == AGREED
    counted = {
        "%(num)s thing needs attention": ("Требует внимания: %(num)s", *("Требуют внимания: %(num)s",) * 2),
        "All %(num)s of this kind": ("Все этого вида (%(num)s)",) * 3,
        "%(num)s employee needs a photo taken on it.": ("Нужно сфотографировать: %(num)s.",) * 3,
        "The program adds %(num)s face to it by itself.": ("Программа добавит сама: %(num)s.",) * 3,
    }
    assert {one: texts(found.string) for one in counted if (found := known.get(one))} == counted
    signing_in = [known.get("Sign in", context) for context in (None, "heading")]
    assert [message and message.string for message in signing_in] == ["Войти", "Вход"]


def test_the_users_own_button_stands_on_the_form_alone() -> None:
    templates = (ROOT / "hikflask" / "templates").rglob("*.html")
    own = [path.name for path in templates if '_("Capture from terminal")' in path.read_text(encoding="utf-8")]

    assert own == ["_next_step.html"]


def test_times_bring_their_own_preposition() -> None:
    said = [text for message in catalogue() if message.id for text in (*texts(message.id), *texts(message.string))]

    assert [text for text in said if re.search(r"\b(at|on|в|во) %\(time\)s", text)] == []


def test_the_compiled_catalogue_is_fresh() -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue())
    compiled.seek(0)
    with (FOLDER / "messages.mo").open("rb") as file:
        kept = read_mo(file)
    fresh = read_mo(compiled)
    assert [(one.context, one.id, one.string) for one in kept] == [(one.context, one.id, one.string) for one in fresh]
