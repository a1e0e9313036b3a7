"""Create a table like that of the events, by another name and elsewhere: `sink_table_job.py TABLE FOLDER`."""

import sys

from lake.events_table import definition
from lake.session import lake_session
from lake.settings import EVENTS, FILE_SYSTEM, Settings


def main() -> None:
    table, folder = sys.argv[1:]
    settings = Settings.from_environment()
    statement = definition(f"{FILE_SYSTEM}{folder}").replace(EVENTS, table, 1)
    lake_session("sink-table", settings).sql(statement)


if __name__ == "__main__":
    main()
