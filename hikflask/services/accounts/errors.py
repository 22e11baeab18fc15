"""Refusals about signing in, operators and API tokens. Their sentences are in messages.py."""

from hikflask.services.core.errors import ServiceError


class AccountsError(ServiceError):
    """Any refusal about accounts. Calls of the JSON API never get one."""

    code = "sign_in_refused"


class TryLater(AccountsError):
    """Not now (params: seconds until the next try)."""

    code = "too_often"


class TooOften(TryLater):
    """Too many tries within a time window (params: seconds until the window ends; first: the first try too many)."""

    code = "too_often"


class PasswordsBusy(TryLater):
    """This process has too many passwords to hash at once (params: seconds)."""

    code = "passwords_busy"


class SignInRefused(AccountsError):
    """Unknown name or wrong password. It is not said which."""

    code = "sign_in_refused"
    fields = ("password",)


class SignInRefusedOrAway(SignInRefused):
    """As SignInRefused, where there is a directory: it is not said either whether it answered."""

    code = "sign_in_refused_or_away"


class DirectoryAway(TryLater):
    """The company's directory does not answer as it should (params: seconds)."""

    code = "directory_away"


class DirectoryDecides(AccountsError):
    """The operator is of the company's directory, which has the password and the role."""

    code = "directory_decides"
    fields = ("role",)


class PasswordWrong(AccountsError):
    """The password that was asked for again is wrong."""

    code = "password_wrong"
    fields = ("password",)


class FactorCodeWrong(AccountsError):
    """The code of the second factor is wrong, or was used before."""

    code = "factor_code_wrong"
    fields = ("code",)


class PresentCodeWrong(FactorCodeWrong):
    """The code of the factor that is to be replaced is wrong."""

    fields = ("present_code",)


class FactorMissing(AccountsError):
    """The operator has no second factor."""

    code = "factor_missing"


class FactorRequired(AccountsError):
    """The role must have a second factor, so it is not switched off."""

    code = "factor_required"


class WeakPassword(AccountsError):
    """Any password that is not accepted."""

    code = "password_common"
    fields = ("password",)


class PasswordShort(WeakPassword):
    """The password has fewer than n characters."""

    code = "password_short"


class PasswordLong(WeakPassword):
    """The password has more than n characters."""

    code = "password_long"


class PasswordCommon(WeakPassword):
    """The password is easy to guess."""


class OperatorNameKnown(AccountsError):
    """Another operator has this name."""

    code = "operator_name_known"
    fields = ("name",)


class NameReserved(AccountsError):
    """The name of an operator or token would read like somebody else's in the audit trail."""

    code = "name_reserved"
    fields = ("name",)


class OperatorUnknown(AccountsError):
    """No such operator."""

    code = "operator_unknown"


class OperatorsExist(AccountsError):
    """There are operators already, so the first administrator is not to be created."""

    code = "operators_exist"


class LastAdministrator(AccountsError):
    """No administrator would be left."""

    code = "last_administrator"
    fields = ("role",)


class TokenNameKnown(AccountsError):
    """Another token has this name."""

    code = "token_name_known"
    fields = ("name",)


class TokenUnknown(AccountsError):
    """No such token."""

    code = "token_unknown"


class CodeWrong(AccountsError):
    """The first-run code is wrong."""

    code = "code_wrong"
    fields = ("code",)
