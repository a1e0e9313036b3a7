"""Requests that no player made: browsers fetch ahead, and messengers look at links. They must have no effect."""

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
"""What the User-Agent of a program has in it that shows what is behind a link."""

PURPOSES = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""Headers in which a browser says that it only fetches ahead."""

_PREVIEW = re.compile("|".join(map(re.escape, PREVIEWS)), re.IGNORECASE)
_AHEAD = re.compile("prefetch|prerender|preview", re.IGNORECASE)
_VARIABLES = {"HTTP_" + name.upper().replace("-", "_"): name for name in PURPOSES}


def refuse_speculation(environ: Mapping[str, Any]) -> None:
    """Raise Forbidden for a request that was not made to have an effect."""
    for variable, name in _VARIABLES.items():
        if variable in environ and _AHEAD.search(environ[variable]):
            raise Forbidden(f"{name}: expected a player's own request, got one that fetches ahead: nothing was written")
    found = _PREVIEW.search(environ.get("HTTP_USER_AGENT", ""))
    if found:
        raise Forbidden("User-Agent: expected a player's own request, got a link preview's: nothing was written")
