"""What the players of the demo do, and what must come of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Requests:
    """So many requests of one player for one path."""

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
    # These two do not exist: no event comes of them.
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
"""What the first version answered, word for word."""
