"""The refusals about signing in and operators that are handled by their class."""

from hikflask.services.core.errors import ServiceError


class TryLater(ServiceError):
    """Not now (params: seconds until the next try)."""


class TooOften(TryLater):
    """Too many tries within a time window (params: seconds until the window ends; first: the first try too many)."""

    code = "too_often"


class PasswordsBusy(TryLater):
    """This process has too many passwords to hash at once (params: seconds)."""

    code = "passwords_busy"


class LdapAway(TryLater):
    """The company's directory does not answer as it should (params: seconds)."""

    code = "directory_away"


class SignInRefused(ServiceError):
    """Unknown name or wrong password. It is not said which, nor whether the company's directory answered."""

    code = "sign_in_refused"


class LdapDecides(ServiceError):
    """The operator is of the company's directory, which has the password and the role."""

    code = "directory_decides"


class PasswordWrong(ServiceError):
    """The password that was asked for again is wrong."""

    code = "password_wrong"


class FactorCodeWrong(ServiceError):
    """The code of the second factor is wrong, or was used before."""

    code = "factor_code_wrong"


class OperatorsExist(ServiceError):
    """There are operators already, so the first administrator is not to be created."""

    code = "operators_exist"
