"""Every code has a sentence in both languages, and no missing name breaks one."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask import messages
from hikflask.background.tasks import HOLDER
from hikflask.codes.refusals import REFUSALS
from hikflask.isapi import errors as isapi_errors
from hikflask.isapi.answer import ResponseStatus
from hikflask.services.accounts import reserved_names
from hikflask.services.core.errors import TerminalInUse

CODES = {*messages.SENTENCES, *REFUSALS} - {"refused"}
SAID = {
    isapi_errors.error_for(ResponseStatus(sub_status=word), 400, isapi_errors.ONLY_FROM.get(kind, "/ISAPI/x")).code
    for word, kind in isapi_errors.CLASSES.items()
}
TERMINAL_CODES = SAID | {kind.own_code for kind in isapi_errors._every(isapi_errors.TerminalError)}

ALL = {
    "who": "Анна", "n": 12, "name": "Пётр", "terminal": "Вход", "t": "Вход", "reason": "потому что",
    "max": 1500, "address": "http://10.0.0.5", "text": "no", "limit": 32, "length": 40,
}  # fmt: skip

TABLE = [
    (
        "terminal_in_use",
        "Терминал занят: Анна. Ещё около 12 с.",
        "Terminal in use by Анна, about 12 s.",
    ),
    (
        "terminal_held",
        "На терминале ждёт сохранения снимок: Пётр (Анна). Новый снимок его заменит.",
        "An unsaved capture of Пётр (Анна) waits here. A new one replaces it.",
    ),
    ("queued", "Включаем камеру терминала…", "Waking up the terminal…"),
    (
        "validity_not_shown",
        "Терминал не показывает срок доступа, подтвердить его нельзя. Проверьте срок на самом терминале.",
        "The terminal does not show the validity, so it cannot be confirmed. Check it at the terminal itself.",
    ),
    (
        "holder_not_shown",
        "Терминал не показывает, чей это ID. Удалить всё равно?",
        "The terminal does not show who has this ID there. Remove it all the same?",
    ),
    ("setting_unknown", "Такой настройки нет.", "There is no such setting."),
    ("factor_missing", "Второго фактора нет.", "There is no second factor."),
    (
        "factor_required",
        "Для вашей роли второй фактор обязателен, отключить его нельзя.",
        "Your role must sign in with a second factor, so it is not switched off.",
    ),
    (
        "directory_away",
        "Каталог организации сейчас не отвечает. Повторите через полминуты.",
        "The company's directory does not answer just now. Try again in half a minute.",
    ),
    (
        "directory_decides",
        "Пароль и роль этого оператора хранит каталог организации. Меняйте их там.",
        "The company's directory has the password and the role of this operator. Change them there.",
    ),
    (
        "waiting",
        "Посмотрите в камеру терминала «Вход». Осталось 12 с",
        "Look into the camera of “Вход”. 12 s left",
    ),
    ("captured", "✅ Фото успешно захвачено!", "✅ Photo captured!"),
    ("photo_of", "Это Пётр?", "Is this Пётр?"),
    (
        "capturetimeout",
        "За 12 с терминал не увидел лицо. Подойдите ближе (около 60 см), лицом к свету, и повторите.",
        "No face seen in 12 s. Come closer (about 60 cm), face the light, try again.",
    ),
    (
        "card_timeout",
        "К терминалу не приложили карту. Повторите и приложите её к считывателю.",
        "No card was held to the terminal. Try again and hold it to the reader.",
    ),
    (
        "cardnoalreadyexist",
        "Эта карта на терминале уже кому-то выдана.",
        "Somebody has this card on the terminal already.",
    ),
    (
        "devicecardfull",
        "На терминале нет места для ещё одной карты.",
        "The terminal has no room for another card.",
    ),
    (
        "cardfullperuser",
        "Больше карт одному человеку терминал не даёт. Сначала удалите одну из карт сотрудника.",
        "The terminal takes no more cards for one person. Remove one of the employee's cards first.",
    ),
    (
        "supportonemorecard",
        "Терминал принимает одну карту на человека. Сначала удалите прежнюю карту сотрудника.",
        "The terminal takes one card for each person. Remove the employee's other card first.",
    ),
    (
        "illegalcardno",
        "Терминал не принимает эту карту. Проверьте её цифры.",
        "The terminal refuses this card. Check its digits.",
    ),
    (
        "cardreaderoffline",
        "Считыватель карт терминала не отвечает. Проверьте его.",
        "The terminal's card reader does not answer. Check the reader.",
    ),
    (
        "unusable_picture",
        "Снимок не получился. Сфотографируйте сотрудника ещё раз.",
        "The picture is not usable. Take the photo again.",
    ),
    (
        "rebootrequired",
        "Изменения вступят в силу после перезагрузки терминала. Перезагрузите его и нажмите «Проверить».",
        "This takes effect when the terminal restarts. Restart it, then press “Check”.",
    ),
    ("cancelled", "Съёмка отменена. Ничего не сохранено.", "Capture cancelled. Nothing was saved."),
    (
        "superseded",
        "На этом терминале уже сделано другое фото. Сфотографируйте сотрудника ещё раз.",
        "Another photo was taken there since. Take the employee's photo again.",
    ),
    ("enrolment_working", "Сотрудник ✓ · лицо …", "Person ✓ · face …"),
    (
        "enrolment_confirmed",
        "Есть на терминале «Вход»: сотрудник и лицо. Проверено в 14:05.",
        "On “Вход”: person and face. Checked at 14:05.",
    ),
    (
        "enrolment_person_only",
        "На терминале «Вход» есть сотрудник, но нет лица: потому что",
        "Person on “Вход”, but no face: потому что",
    ),
    (
        "enrolment_old_face",
        "На терминале «Вход» ещё прежнее лицо, и оно открывает двери. Нового фото там нет: потому что",
        "The old face is still on “Вход” and opens doors. The new photo is not there: потому что",
    ),
    (
        "enrolment_waiting",
        "«Вход» не отвечает. Программа повторит попытку в 14:05. Данные сохранены.",
        "“Вход” does not answer. The next try is at 14:05. Nothing is lost.",
    ),
    (
        "files_not_taken",
        "Фото останется только на сервере: терминал «Пётр» не принимает файлы. "
        "Чтобы терминал узнавал сотрудника, сфотографируйте его на терминале.",
        "The photo stays on the server: terminal “Пётр” takes no files. To get the face onto it, take a photo there.",
    ),
    ("devicebusy", "Терминал занят. Повторим через 12 с.", "The terminal is busy. Trying again in 12 s."),
    ("facedatamodeling", "Терминал занят. Повторим через 12 с.", "The terminal is busy. Trying again in 12 s."),
    ("notsupport", "Эта модель не умеет фотографировать по запросу.", "This model cannot take photos on request."),
    ("picturefacedetectzero", "На снимке нет лица.", "No face in the picture."),
    (
        "multiplefaceobjecterror",
        "В кадре больше одного лица. Нужен один человек.",
        "More than one face. One person, please.",
    ),
    ("picsizesmallerror", "Лицо слишком мелкое. Подойдите ближе.", "The face is too small. Come closer."),
    (
        "userexceedlimit",
        "На терминале нет места (12 из 1500). Сначала удалите уволенных.",
        "The terminal is full (12 of 1500). Remove leavers first.",
    ),
    (
        "deviceuseralreadyexistface",
        "На терминале у этого сотрудника уже есть лицо, и он его не заменяет. Удалите лицо на терминале и повторите.",
        "The terminal has a face of this person already and does not replace it. Remove it there, then try again.",
    ),
    (
        "facelowqulity",
        "Низкое качество: больше света, без маски и тёмных очков.",
        "Poor quality: more light, no mask, no dark glasses.",
    ),
    (
        "subpicanalysismodelingerror",
        "Терминал не смог построить модель лица. Сфотографируйте заново.",
        "The terminal could not model this face. Take the photo again.",
    ),
    ("picsizeexceederror", "Файл слишком большой для терминала.", "The file is too large for the terminal."),
    (
        "employeenoalreadyexist",
        "ID 12 на терминале занят: «Пётр». Заменить или выбрать другой ID?",
        "ID 12 is taken there by Пётр. Replace it or choose another ID?",
    ),
    (
        "illegalemployeeno",
        "Терминал не принимает такой ID: только латинские буквы и цифры, до 32.",
        "The terminal refuses this ID: Latin letters and digits, up to 32.",
    ),
    (
        "deviceuserfull",
        "На терминале нет места (12 из 1500). Сначала удалите уволенных.",
        "The terminal is full (12 of 1500). Remove leavers first.",
    ),
    (
        "alreadyexistthisface",
        "Это лицо уже записано под другим ID. Возможно, сотрудник записан дважды: Пётр.",
        "This face is already there under another ID. Perhaps enrolled twice: Пётр.",
    ),
    (
        "urldownloadfail",
        "Терминал потерял снимок. Сфотографируйте заново.",
        "The terminal lost the picture. Take the photo again.",
    ),
    (
        "wrong_password",
        "Терминал не принял пароль. Мы остановились, чтобы его не заблокировать. Исправьте пароль терминала.",
        "The terminal refused the password. We stopped so as not to lock it. Correct the terminal's password.",
    ),
    (
        "locked",
        "Учётная запись на терминале заблокирована ещё на 12 мин.",
        "The account there is locked for 12 more min.",
    ),
    ("lowprivilege", "У учётной записи терминала нет прав на это.", "The terminal's account lacks the right for this."),
    ("notactivated", "Терминал ещё не активирован.", "The terminal is not activated yet."),
    (
        "unreachable",
        "«Вход» не отвечает по адресу http://10.0.0.5. Проверьте питание и сеть.",
        "“Вход” does not answer at http://10.0.0.5. Check power and network.",
    ),
    (
        "certificate_changed",
        "У терминала «Вход» другой сертификат. Если терминал меняли, пусть администратор подтвердит.",
        "“Вход” shows another certificate. If it was replaced, an administrator must confirm it.",
    ),
    (
        "https_required",
        "У терминала «Вход» адрес http, а здесь разрешён только https. Укажите его адрес https.",
        "“Вход” has an http address, and only https is allowed here. Enter its https address.",
    ),
    (
        "weak_digest",
        "«Вход» предлагает вход только с MD5, а здесь требуется SHA-256, поэтому пароль не отправлен. "
        "Включите SHA-256 на терминале и нажмите «Проверить».",
        "“Вход” offers a login with MD5 only, and SHA-256 is required here, so the password was not sent. "
        "Switch SHA-256 on at the terminal, then press “Check”.",
    ),
    (
        "terminal_password_needed",
        "Сохранённый пароль относится к прежним адресу и сертификату. Введите пароль терминала ещё раз.",
        "The stored password is for the former address and certificate. Enter the terminal's password again.",
    ),
    (
        "too_many_calls",
        "Одновременных обращений к терминалам от одного оператора или программы: не больше 12. "
        "Сначала дождитесь ответа.",
        "At most 12 requests to terminals at a time for one operator or program. Wait for an answer first.",
    ),
    (
        "server_busy",
        "Сервер уже ждёт ответа стольких терминалов, скольких может. Повторите через 12 с.",
        "The server is waiting on as many terminals as it can. Try again in 12 s.",
    ),
    (
        "validity_over",
        "Срок доступа уже закончился. Укажите более поздний последний день или уберите его.",
        "The validity is over. Enter a later last day, or none.",
    ),
    (
        "clock_not_set",
        "Терминал ответил «OK», но его часы или часовой пояс по-прежнему другие.",
        "The terminal said OK, but its clock or time zone is still another one.",
    ),
    ("somethingNew", "Терминал отказал: no (somethingNew).", "The terminal refused: no (somethingNew)."),
]


@pytest.fixture(autouse=True)
def russian(app: Flask) -> Iterator[None]:
    with app.app_context(), force_locale("ru"):
        yield


def test_the_sentences_are_to_the_letter() -> None:
    for code, russian_text, english_text in TABLE:
        assert messages.sentence(code, **ALL, time="в 14:05") == russian_text
        assert messages.english(code, **ALL, time="at 14:05") == english_text


def test_each_code_of_a_terminal_has_its_row() -> None:
    assert TERMINAL_CODES - {"terminal_error"} - set(REFUSALS) == set()


def test_each_code_has_its_own_sentence_in_both_languages() -> None:
    assert [code for code in CODES if messages.sentence(code) == messages.english(code)] == []


def test_a_missing_name_never_breaks_a_sentence() -> None:
    for code in CODES:
        for said in (messages.sentence(code), messages.english(code), messages.sentence(code, n=None, name="")):
            assert said
            assert "%(" not in said
            assert "None" not in said


NOT_VERIFIED = [
    (
        "person_not_verified",
        {},
        "Терминал ответил, но сотрудника не показывает.",
        "The terminal answered, but does not show the person.",
    ),
    (
        "name_not_verified",
        {"name": "Пётр"},
        "Терминал ответил «OK», но под этим ID там другое имя: «Пётр».",
        "The terminal said OK, but this ID has another name there: “Пётр”.",
    ),
    (
        "name_not_verified",
        {},
        "Терминал ответил «OK», но под этим ID там другое имя.",
        "The terminal said OK, but this ID has another name there.",
    ),
    (
        "validity_not_verified",
        {},
        "Терминал ответил «OK», но показывает другой срок доступа.",
        "The terminal said OK, but shows another validity.",
    ),
    (
        "rights_not_verified",
        {},
        "Терминал ответил «OK», но права доступа сотрудника там не те, что были.",
        "The terminal said OK, but the person's access rights there are not as before.",
    ),
    (
        "face_not_verified",
        {},
        "Терминал ответил «OK», но нужного лица не показывает.",
        "The terminal said OK, but does not show the right face.",
    ),
    (
        "removal_not_verified",
        {"name": "Пётр"},
        "Терминал ответил «OK», но «Пётр» там ещё есть.",
        "The terminal said OK, but “Пётр” is still there.",
    ),
    (
        "removal_not_verified",
        {},
        "Терминал ответил «OK», но сотрудник там ещё есть.",
        "The terminal said OK, but the person is still there.",
    ),
    (
        "removal_not_shown",
        {},
        "Терминал принял удаление, но список сотрудников не показывает: удаление не подтверждено.",
        "The terminal accepted the removal, but does not show who is there, so it is not confirmed.",
    ),
    (
        "removal_asked_again",
        {},
        "Сейчас этого ID на терминале нет. Но на один запрос он не ответил, и тот ещё может дойти: поэтому программа "
        "проверит это ещё раз.",
        "The ID is not on the terminal now. But a request got no answer and may still arrive there, so this is checked "
        "once more.",
    ),
]


def test_what_is_not_verified_is_said_with_the_next_try_where_that_is_known() -> None:
    for code, names, russian_text, english_text in NOT_VERIFIED:
        assert messages.sentence(code, **names) == russian_text
        assert messages.english(code, **names) == english_text
        later = messages.sentence(code, **names, time="в 14:05")
        assert later == f"{russian_text} Программа повторит попытку в 14:05."
        assert messages.english(code, **names, time="at 14:05") == f"{english_text} The next try is at 14:05."


def test_a_refusal_without_words_says_its_code() -> None:
    assert messages.sentence("http_418") == "Терминал отказал (http_418)."
    assert messages.english("badparameters", text="dataType") == "The terminal refused: dataType (badparameters)."


def test_unknown_code_is_said_as_the_terminal_spells_it() -> None:
    error = isapi_errors.error_for(ResponseStatus(sub_status="badParameters", message="dataType"), 400, "/ISAPI/x")
    assert error.code == "terminal:badparameters"
    assert messages.english(error.code, **error.params) == "The terminal refused: dataType (badParameters)."


def test_what_a_terminal_says_is_never_a_format() -> None:
    assert messages.english("odd", text="%(n)s %s 100%") == "The terminal refused: %(n)s %s 100% (odd)."


@pytest.mark.parametrize(
    ("name", "limit", "russian_text", "english_text"),
    [
        ("Я" * 41, 32, "Терминал принимает 16 русских букв, а в ФИО 41.",
         "The terminal takes 16 Cyrillic letters; the name has 41."),
        ("Я" * 22, 42, "Терминал принимает 21 русскую букву, а в ФИО 22.",
         "The terminal takes 21 Cyrillic letters; the name has 22."),
        ("J" * 33, 32, "Терминал принимает 32 латинские буквы, а в ФИО 33.",
         "The terminal takes 32 Latin letters; the name has 33."),
        ("漢" * 11, 32, "ФИО слишком длинное для терминала. Сократите его.",
         "The full name is too long for the terminal. Shorten it."),
    ],
)  # fmt: skip
def test_name_that_is_too_long_is_said_in_letters(name: str, limit: int, russian_text: str, english_text: str) -> None:
    about = {"t": "Вход", "length": len(name.encode()), "limit": limit, "letters": len(name)}

    assert messages.sentence("name_bytes", **about) == russian_text
    assert messages.english("name_bytes", **about) == english_text


@pytest.mark.parametrize(
    ("language", "function", "said"),
    [
        ("ru", "FDLib/FDSetUp", "Терминал не поддерживает: FDLib/FDSetUp (привязка лица)."),
        ("en", "FDLib/FDSetUp", "The terminal does not support: FDLib/FDSetUp (binding the face)."),
        ("ru", "FDLib/FDModify", "Терминал не поддерживает: FDLib/FDModify (замена лица)."),
        ("en", "FDLib/FDModify", "The terminal does not support: FDLib/FDModify (replacing the face)."),
        ("ru", "FDSearch/Delete", "Терминал не поддерживает: FDSearch/Delete (удаление лица)."),
        ("en", "FDSearch/Delete", "The terminal does not support: FDSearch/Delete (removing the face)."),
    ],
)
def test_a_function_that_is_missing_is_named_with_its_step(app: Flask, language: str, function: str, said: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert messages.sentence("function_not_supported", text=function) == said
        assert messages.sentence("function_not_supported", text="System/other").endswith(": System/other.")


@pytest.mark.parametrize(
    ("language", "said"),
    [("ru", "Терминал отказал: beep (captured)."), ("en", "The terminal refused: beep (captured).")],
)
def test_a_terminals_own_word_is_quoted_and_says_nothing_of_ours(app: Flask, language: str, said: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert messages.sentence("terminal:captured", text="beep", name="Пётр") == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ru", "Сохранённый снимок ещё не записан на терминал: Пётр (Анна). Новый снимок его там заменит."),
        ("en", "The saved photo of Пётр (Анна) is not on the terminal yet. A new one replaces it there."),
    ],
)
def test_a_saved_picture_is_not_called_unsaved(app: Flask, language: str, said: str) -> None:
    with app.test_request_context(), force_locale(language):
        assert messages.sentence("terminal_held", saved_name="Пётр", who="Анна", capture_id=7) == said


@pytest.mark.parametrize("holder", ["background", "worker"])
def test_terminal_in_use_by_the_worker_is_said_in_russian(app: Flask, holder: str) -> None:
    with app.app_context(), force_locale("ru"):
        in_use = messages.error_sentence(TerminalInUse(who=holder, seconds=3))
        assert in_use == "Терминал занят: фоновый обработчик. Ещё около 3 с."
        assert messages.error_sentence(TerminalInUse(who="", seconds=1)) == "Терминал занят."


@pytest.mark.parametrize("name", [*messages.ACTORS, HOLDER])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_nobody_can_be_called_as_a_page_says_it(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert reserved_names.is_reserved(messages.actor_name(name))
        assert reserved_names.is_reserved(name)
