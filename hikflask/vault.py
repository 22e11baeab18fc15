"""Keeps terminal passwords encrypted at rest."""

from cryptography.fernet import Fernet, InvalidToken
from flask import Flask, current_app


class VaultError(RuntimeError):
    """A stored password that the key does not open; the text says what to set."""


class Vault:
    """Encrypts and decrypts short texts with the app's password key (Fernet)."""

    def init_app(self, app: Flask) -> None:
        """Keep one cipher per app."""
        app.extensions["vault"] = Fernet(app.config["PASSWORD_KEY"].encode())

    def encrypt(self, text: str) -> str:
        """Return the text as a Fernet token (ASCII)."""
        cipher: Fernet = current_app.extensions["vault"]
        return cipher.encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token.

        :raises VaultError: when the key is not the one the token was made with.
        """
        cipher: Fernet = current_app.extensions["vault"]
        try:
            return cipher.decrypt(token.encode()).decode()
        except InvalidToken:
            raise VaultError(
                "The terminals' passwords were encrypted with another key: set HIKFLASK_PASSWORD_KEY to it, "
                "or restore instance/password_key."
            ) from None
