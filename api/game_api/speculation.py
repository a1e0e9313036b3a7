"""Speculative requests: browsers prefetch links, and messengers preview them. These requests must have no effect."""

import re
from collections.abc import Mapping
from functools import lru_cache

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
_KEYS = {name.lower(): name for name in PURPOSES}


def refuse_speculation(headers: Mapping[str, str]) -> None:
    """Raise Forbidden for a prefetch or a link preview."""
    for key, name in _KEYS.items():
        if key in headers and _PREFETCH.search(headers[key]):
            raise Forbidden(f"{name}: expected a player's own request, got a prefetch: nothing was written")
    agent = headers.get("user-agent", "")
    if agent and _is_preview(agent):
        raise Forbidden("User-Agent: expected a player's own request, got a link preview's: nothing was written")


@lru_cache(1024)
def _is_preview(agent: str) -> bool:
    return bool(_PREVIEW.search(agent))
