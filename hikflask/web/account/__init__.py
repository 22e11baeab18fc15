"""Pages of whoever signs in: the sign-in itself, the own password, the second factor, the language, the first setup."""
