"""The demo's scenario: its requests, and the numbers that they have to produce."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Requests:
    """The same request, sent `times` times by one player."""

    host: str
    times: int
    path: str
    status: int = 200


SCENARIO = (
    Requests("user1.comcast.com", 10, "/"),
    Requests("knight1.comcast.com", 500, "/purchase_a_sword"),
    Requests("knight1.comcast.com", 200, "/purchase_an_axe"),
    Requests("knight1.comcast.com", 500, "/join_a_guild"),
    Requests("knight3.yahoo.com", 500, "/purchase_a_shield"),
    Requests("commanding_officer.comcast.com", 1, "/declare_a_war"),
    Requests("commanding_officer.comcast.com", 1, "/declare_peace"),
    Requests("user2.att.com", 10, "/"),
    Requests("user2.att.com", 10, "/purchase_a_sword"),
    # These paths do not exist: they produce no event.
    Requests("user2.att.com", 10, "/buy_a_sword", status=404),
    Requests("user2.att.com", 10, "/join_guild", status=404),
)

ACKNOWLEDGED = 1732
ROWS = {"purchases": 1210, "joins": 500, "declarations": 2, "visits": 20}

QUERIES = (
    "show tables",
    "describe purchases",
    "select * from purchases limit 10",
    "select distinct event_type from purchases",
    "select avg(cast(strength as integer)) from purchases",
)
"""Queries of the first version, which have to keep working word for word."""
