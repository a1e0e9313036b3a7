"""What an erasure did not look at."""

from datetime import UTC, datetime, timedelta

from confluent_kafka import KafkaException
from game_kafka.topic import Topic

from lake.settings import Settings

_ELSEWHERE = """\
Not looked at, and to be erased where it exists:
- {topic}
- events that the players send from now on: they become new rows, and erasing the players again removes them
- the world and its snapshots: `make erase` does both; elsewhere run `images/api/run world --forget`
- other text: descriptions, headers but Host, and of rejected records what is no string of JSON
- files that were imported, or will be: their lines do not return, but those of other files are new rows
- copies of /lake and /export: backups, HDFS snapshots and trash, volume snapshots, other tables, files sent elsewhere
- Trino's query history and spilled pages, and what clients of Trino have stored
- logs of API, proxies, Trino and jobs
- the ledger of `make play` and `make demo`, under .local/\
"""


def remarks(settings: Settings) -> str:
    return _ELSEWHERE.format(topic=_topic(settings))


def _topic(settings: Settings) -> str:
    name = settings.kafka.topic
    try:
        kept = Topic(settings.kafka).retention()
    except (KafkaException, TimeoutError) as error:
        until = f"until its retention deletes them (which could not be read: {error})"
    else:
        until = "forever: its retention is unlimited" if kept is None else f"until {_end(kept)} or a little longer"
    return f"Kafka's topic {name}: it keeps the players' records {until}; loading them again does not restore the rows"


def _end(kept: timedelta) -> str:
    """Return when a record of this moment is deleted, which Kafka does by whole segments."""
    return f"{datetime.now(UTC) + kept:%Y-%m-%d %H:%M} UTC (its retention is {kept.total_seconds() / 86400:g} days)"
