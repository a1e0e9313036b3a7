"""The context of an event, which its client may give with any type: when, in which session and by what it happened."""

from game_events.fields import Field, Kind

LATEST = 4_102_444_800_000
"""The start of 2100. This catches clocks in microseconds."""

CONTEXT = (
    Field(
        "occurred_at",
        Kind.TIMESTAMP,
        "When it happened: in events by the client's clock, in the views corrected by that clock's offset",
        maximum=LATEST,
    ),
    Field("sent_at", Kind.TIMESTAMP, "When the request was sent, by the client's clock", maximum=LATEST),
    Field("sequence", Kind.INTEGER, "The number of the event in its session", maximum=2**31 - 1),
    Field("session_id", Kind.STRING, "The session", minimum=1, maximum=128),
    Field("device_id", Kind.STRING, "The device", minimum=1, maximum=128),
    Field("platform", Kind.STRING, "The platform, such as ios or web", minimum=1, maximum=32),
    Field("app_version", Kind.STRING, "The version of the app", minimum=1, maximum=64),
    Field(
        "country",
        Kind.STRING,
        "The country, as two capital letters (ISO 3166)",
        minimum=2,
        maximum=2,
        pattern="[A-Z]{2}",
    ),
    Field(
        "experiments",
        Kind.OBJECT,
        "The player's variant of each experiment, as JSON",
        maximum=1024,
        values=Kind.STRING,
    ),
    Field("properties", Kind.OBJECT, "Anything else about the event, as JSON", maximum=8192),
)

LATE_DAYS = 90
"""An event happened at most so long before it was received, as far as the views are concerned."""

OCCURRED_AT = (
    f"least(received_at, greatest(received_at - INTERVAL '{LATE_DAYS}' DAY, "
    "coalesce(occurred_at + (received_at - coalesce(sent_at, received_at)), received_at)))"
)
"""When a row of `events` happened, as SQL that Spark, Trino and DuckDB accept.

How far the client's clock was off shows when it sends: what it calls sent_at is received_at. No event happens after its
reception, and without a time of the client's that is when it happened.
"""
