"""What is refused of signing in, operators and tokens; the sentences are made in wording.py."""

from hikflask.services.core.errors import ServiceError


class AdmissionError(ServiceError):
    """Of signing in, operators and tokens; no call of the API has to do with these."""

    code = "sign_in_refused"


class TryLater(AdmissionError):
    """Not now (params: seconds until it may be tried again)."""

    code = "too_often"


class TooOften(TryLater):
    """Too many tries within a while (params: seconds until the next one counts)."""

    code = "too_often"


class PasswordsBusy(TryLater):
    """More passwords come in at once than this process computes hashes of (params: seconds)."""

    code = "passwords_busy"


class SignInRefused(AdmissionError):
    """Unknown name or wrong password; which of both is not said."""

    code = "sign_in_refused"
    fields = ("password",)


class PasswordWrong(AdmissionError):
    """The operator's own password, asked for again, was another one."""

    code = "password_wrong"
    fields = ("password",)


class WeakPassword(AdmissionError):
    """A password that is not taken."""

    code = "password_common"
    fields = ("password",)


class PasswordShort(WeakPassword):
    """Fewer than n characters."""

    code = "password_short"


class PasswordLong(WeakPassword):
    """More than n characters."""

    code = "password_long"


class PasswordCommon(WeakPassword):
    """One of those that are tried first."""


class OperatorNameKnown(AdmissionError):
    """Another operator has this name."""

    code = "operator_name_known"
    fields = ("name",)


class NameReserved(AdmissionError):
    """The audit trail has programs under this name, or it does not show all its letters; of operators and tokens."""

    code = "name_reserved"
    fields = ("name",)


class OperatorUnknown(AdmissionError):
    """No such operator."""

    code = "operator_unknown"


class OperatorsExist(AdmissionError):
    """The first administrator is there already."""

    code = "operators_exist"


class LastAdministrator(AdmissionError):
    """Nobody would be left to administer."""

    code = "last_administrator"
    fields = ("role",)


class TokenNameKnown(AdmissionError):
    """Another token has this name."""

    code = "token_name_known"
    fields = ("name",)


class TokenUnknown(AdmissionError):
    """No such token."""

    code = "token_unknown"


class CodeWrong(AdmissionError):
    """The first-run code was another one."""

    code = "code_wrong"
    fields = ("code",)
