"""What is in the Secrets of an installation, by their keys."""

import secrets

DATABASE_USER = "metastore"


def database() -> dict[str, str]:
    """Return the name and password of the metastore's user in its database."""
    return {"username": DATABASE_USER, "password": _password()}


def store(address: str) -> dict[str, str]:
    """Return the password of the world's store, and its URL with that password; the address is `HOST:PORT`."""
    password = _password()
    return {"password": password, "url": f"redis://:{password}@{address}"}


def players() -> dict[str, str]:
    """Return what signs players' tokens: a line, of as many characters as the API asks for."""
    return {"secrets": _password()}


def _password() -> str:
    # Of letters that a URL and a configuration file take as they are.
    return secrets.token_urlsafe(32)
