"""The headers that tell a client how near its limits are (draft-ietf-httpapi-ratelimit-headers-09)."""

from math import ceil

from game_api.replies import Response
from game_api.request import Request

LIMIT_HEADER = "RateLimit"
POLICY_HEADER = "RateLimit-Policy"


def add_rate_limits(request: Request, response: Response) -> None:
    """Add the headers if the request's buckets are known.

    A policy is a bucket of `q` tokens that refills in `w` seconds. Of it `r` are left, and it is full in `t` seconds.
    """
    if request.meter is None or not request.meter.levels:
        return
    levels = request.meter.levels.items()
    policies = [f'"{name}";q={level.burst};w={ceil(level.window)}' for name, level in levels]
    limits = [f'"{name}";r={level.left};t={ceil(level.wait)}' for name, level in levels]
    response.headers[POLICY_HEADER] = ", ".join(policies)
    response.headers[LIMIT_HEADER] = ", ".join(limits)
