"""Batch job: load the topic or files into `events`, mend rejected rows, give up lost offsets, or export plain files."""

import argparse
import sys
from collections.abc import Sequence

from game_events import name_lists
from game_settings.reader import SettingsError
from lake import export, player_copy
from lake.events_table import TableError
from lake.imports.files import FileError
from lake.imports.imports import import_files
from lake.load import CHUNK, give_up, load
from lake.mend import mend
from lake.offsets import OffsetRange, RangeError, Topic, moment
from lake.settings import start


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="batch.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    loading = commands.add_parser("load", help="load the topic up to its end, or a part of it, into the table")
    exactly = "exactly these offsets, END excluded"
    loading.add_argument("--offsets", nargs="+", metavar="PARTITION:START-END", default=[], help=exactly)
    utc = "ISO 8601, in UTC if it has no offset"
    loading.add_argument("--from", dest="start", type=moment, metavar="TIME", help=utc)
    loading.add_argument("--to", dest="end", type=moment, metavar="TIME", help="records of this moment are excluded")
    loading.add_argument("--chunk", type=int, default=CHUNK, metavar="OFFSETS", help=f"of one commit ({CHUNK:,})")
    importing = commands.add_parser("import", help="add the events of files: JSON lines or Parquet")
    importing.add_argument("paths", nargs="+", metavar="PATH", help="a file or a folder: file:/… or on HDFS")
    importing.add_argument("--chunk", type=int, default=CHUNK, metavar="LINES", help=f"of one commit ({CHUNK:,})")
    importing.add_argument("--dry-run", action="store_true", help="only validate")
    skipping = commands.add_parser("skip", help="go on without offsets that Kafka no longer has")
    skipping.add_argument("--offsets", nargs="+", metavar="PARTITION:START-END", required=True, help=exactly)
    mending = "replace the rejected rows that are valid under today's contract, without Kafka"
    commands.add_parser("mend", help=mending, description=mending.capitalize())
    exporting = commands.add_parser("export", help="replace the Parquet directories and their tables in schema export")
    names = f"of {', '.join(export.FAMILIES)}; all by default"
    exporting.add_argument("families", nargs="*", type=export.family, metavar="FAMILY", help=names)
    exporting.add_argument("--player", type=name_lists.name, help="instead, copy all rows that name this player")
    below = "where to, with --player: a new folder, file:/… or on HDFS (one below the exports)"
    exporting.add_argument("--to", metavar="URI", help=below)
    chosen = parser.parse_args(arguments)
    if chosen.command == "export" and chosen.families and chosen.player:
        parser.error("--player: not together with a FAMILY")
    if chosen.command == "export" and chosen.to and not chosen.player:
        parser.error("--to: only together with --player")
    if chosen.command == "load" and chosen.offsets and (chosen.start or chosen.end):
        parser.error("--offsets: not together with --from or --to")
    if chosen.command in ("load", "import") and chosen.chunk < 1:
        parser.error("--chunk: expected at least 1")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _arguments(arguments)
    try:
        settings = start()
        if chosen.command == "export":
            if chosen.player:
                player_copy.copy(settings, chosen.player, chosen.to)
            else:
                export.export(settings, chosen.families or export.FAMILIES)
            return 0
        if chosen.command == "mend":
            mend(settings)
            return 0
        if chosen.command == "import":
            import_files(settings, chosen.paths, chosen.chunk, dry_run=chosen.dry_run)
            return 0
        topic, ranges = Topic(settings), [OffsetRange.parse(text) for text in chosen.offsets]
        if chosen.command == "skip":
            give_up(settings, topic, ranges)
        elif ranges:
            load(settings, topic, topic.exactly(ranges), chosen.chunk)
        elif chosen.start or chosen.end:
            load(settings, topic, topic.between(chosen.start, chosen.end), chosen.chunk)
        else:
            load(settings, topic, None, chosen.chunk)
    except (SettingsError, RangeError, TableError, FileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
