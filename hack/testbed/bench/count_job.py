"""Count the rows that the batch jobs wrote: `count_job.py FOLDER` prints JSON; FOLDER holds the plain job's files."""

import json
import sys

from lake.session import lake_session
from lake.settings import EVENTS, FILE_SYSTEM, Settings


def main() -> None:
    settings = Settings.from_environment()
    spark = lake_session("count", settings)
    events = spark.table(EVENTS).where("family <> 'rejected'").count()
    plain = spark.read.parquet(f"{FILE_SYSTEM}{sys.argv[1]}").count()
    print(json.dumps({"events": events, "plain": plain}))


if __name__ == "__main__":
    main()
