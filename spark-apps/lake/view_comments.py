"""Comments on the columns of views, in the metastore.

Trino's `CREATE VIEW` has none and removes those that exist, and `COMMENT ON COLUMN` takes a statement for each of some
300 columns. Trino keeps a view as JSON in the metastore, where the comments of all its columns are written at once.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pyspark.sql import SparkSession

from lake.events_table import TableError

_DEFINITION = re.compile(r"/\* Presto View: (\S+) \*/")
_VERSION = "gamelake.version"
"""A property of a view, which disappears when the view is replaced."""


class ViewComments:
    """The views of schema `default`."""

    # PySpark has no API for views of other engines.
    def __init__(self, client: Any) -> None:  # noqa: ANN401 Java's
        self._client = client

    def version(self, view: str) -> str | None:
        """Return the version that `write` recorded; None if the view does not exist or was replaced since."""
        if not self._client.tableExists("default", view):
            return None
        version = self._client.getTable("default", view).getParameters().get(_VERSION)
        return None if version is None else str(version)

    def write(self, view: str, comments: Mapping[str, str], version: str) -> None:
        """Set the comments of the view's columns, and record the version."""
        table = self._client.getTable("default", view)
        table.setViewOriginalText(commented(table.getViewOriginalText(), comments))
        table.getParameters().put(_VERSION, version)
        self._client.alter_table("default", view, table)


@contextmanager
def view_comments(spark: SparkSession, metastore_uri: str) -> Iterator[ViewComments]:
    hive: Any = spark._jvm.org.apache.hadoop.hive  # type: ignore[union-attr]
    conf = hive.conf.HiveConf()
    conf.set("hive.metastore.uris", metastore_uri)
    client = hive.metastore.HiveMetaStoreClient(conf)
    try:
        yield ViewComments(client)
    finally:
        client.close()


def commented(definition: str, comments: Mapping[str, str]) -> str:
    """Return a view's definition, as Trino keeps it, with comments on its columns."""
    if not (found := _DEFINITION.fullmatch(definition)):
        raise TableError(f"expected the definition of a view as Trino writes it, got {definition[:60]!r}")
    view = json.loads(base64.b64decode(found[1]))
    for column in view["columns"]:
        if comment := comments.get(column["name"]):
            column["comment"] = comment
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"
