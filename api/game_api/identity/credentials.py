"""The credentials of a request, and how a token is handed to its client."""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from game_api.identity.errors import UnauthorizedError

AUTHORIZATION = "Authorization"
COOKIE = "Cookie"
TOKEN_HEADER = "Player-Token"  # noqa: S105 a header's name
"""The response header with a token for clients that are no browsers."""

COOKIE_NAME = "player"
# Browsers let only an https page of exactly this host set a cookie of such a name.
SECURE_COOKIE_NAME = "__Host-player"

_MOST = 8192


class Credential(NamedTuple):
    token: str
    field: str
    """The header that it was in."""


def credential(headers: Mapping[str, str], is_https: bool) -> Credential | None:
    """Return the request's credential, if any; raise UnauthorizedError if it is none of ours.

    `headers` has the names in lower case: `authorization`, `cookie`, and for the latter `origin` and `host`.
    """
    given = headers.get("authorization")
    if given is not None:
        scheme, _, token = given.strip().partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or not token.isascii() or set(token) & set(' ,;"'):
            raise UnauthorizedError(AUTHORIZATION, "expected `Bearer TOKEN`")
        if len(token) > _MOST:
            raise UnauthorizedError(AUTHORIZATION, f"expected a token of at most {_MOST} characters")
        return Credential(token, AUTHORIZATION)
    # Another site's page can make a browser send the cookie, but cannot hide where the page is from.
    if "cookie" in headers and ("origin" not in headers or is_same_origin(headers)):
        token = _cookie(headers["cookie"], _cookie_name(is_https))
        return Credential(token, COOKIE) if token else None
    return None


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Tell whether a page of this service sent the request, as far as its browser says."""
    scheme, separator, authority = headers.get("origin", "").partition("://")
    return bool(separator) and scheme in ("http", "https") and authority.lower() == headers.get("host", "").lower()


def handed_out(token: str, seconds: int, headers: Mapping[str, str], is_https: bool) -> tuple[str, str]:
    """Return the response header with a token: a cookie, which scripts cannot read, for a page of this service."""
    if is_same_origin(headers) or _cookie(headers.get("cookie", ""), _cookie_name(is_https)):
        return "Set-Cookie", _set_cookie(token, seconds, is_https)
    return TOKEN_HEADER, token


def refusal_headers(error: UnauthorizedError, is_https: bool) -> dict[str, str]:
    """Return the headers to add to a 401. A cookie that is not accepted is deleted: its page could not do so."""
    headers = {"WWW-Authenticate": "Bearer"}
    return headers | dict([deleted(is_https)]) if error.field == COOKIE else headers


def deleted(is_https: bool) -> tuple[str, str]:
    """Return the response header that deletes the cookie with a token."""
    return "Set-Cookie", _set_cookie("", 0, is_https)


def _set_cookie(token: str, seconds: int, is_https: bool) -> str:
    secure = "; Secure" if is_https else ""
    return f"{_cookie_name(is_https)}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _cookie_name(is_https: bool) -> str:
    return SECURE_COOKIE_NAME if is_https else COOKIE_NAME


def _cookie(header: str, name: str) -> str:
    if name not in header or len(header) > 2 * _MOST:
        return ""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found and found.value.isascii() else ""
