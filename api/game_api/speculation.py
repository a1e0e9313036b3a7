"""Speculative requests: browsers prefetch links, and messengers preview them. These requests must have no effect."""

import re
from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import Forbidden

PREVIEWS = (
    "Discordbot",
    "Embedly",
    "facebookexternalhit",
    "Facebot",
    "Iframely",
    "LinkedInBot",
    "Mastodon",
    "Pinterestbot",
    "redditbot",
    "SkypeUriPreview",
    "Slackbot",
    "Slack-ImgProxy",
    "TelegramBot",
    "Twitterbot",
    "Viber",
    "vkShare",
    "WhatsApp",
)
"""Parts of the User-Agent by which link previews are recognised."""

PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""Headers in which browsers announce a prefetch."""

_PREVIEW = re.compile("|".join(map(re.escape, PREVIEWS)), re.IGNORECASE)
_PREFETCH = re.compile("prefetch|prerender|preview", re.IGNORECASE)
_VARIABLES = {"HTTP_" + name.upper().replace("-", "_"): name for name in PURPOSES}


def refuse_speculation(environ: Mapping[str, Any]) -> None:
    """Raise Forbidden for a prefetch or a link preview."""
    for variable, name in _VARIABLES.items():
        if variable in environ and _PREFETCH.search(environ[variable]):
            raise Forbidden(f"{name}: expected a player's own request, got a prefetch: nothing was written")
    found = _PREVIEW.search(environ.get("HTTP_USER_AGENT", ""))
    if found:
        raise Forbidden("User-Agent: expected a player's own request, got a link preview's: nothing was written")
