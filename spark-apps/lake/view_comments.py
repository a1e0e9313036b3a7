"""What views say in the metastore: comments on their columns, and queries that change often.

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
from lake.metastore import metastore

_DEFINITION = re.compile(r"/\* Presto View: (\S+) \*/")
_VERSION = "gamelake.version"
"""A property of a view, which disappears when the view is replaced."""


class ViewComments:
    """Views by name, in schema `default` unless the name says another one."""

    # PySpark has no API for views of other engines.
    def __init__(self, client: Any) -> None:  # noqa: ANN401 Java's
        self._client = client

    def version(self, view: str) -> str | None:
        """Return the version that `write` recorded; None if the view does not exist or was replaced since."""
        place = _place(view)
        if not self._client.tableExists(*place):
            return None
        version = self._client.getTable(*place).getParameters().get(_VERSION)
        return None if version is None else str(version)

    def write(self, view: str, comments: Mapping[str, str], version: str) -> None:
        """Set the comments of the view's columns, and record the version."""
        table = self._client.getTable(*_place(view))
        table.setViewOriginalText(commented(table.getViewOriginalText(), comments))
        table.getParameters().put(_VERSION, version)
        self._client.alter_table(*_place(view), table)

    def copy(self, view: str, name: str, query: str, comment: str, version: str) -> None:
        """Create or replace a view with the columns of another one in the same schema, and record the version."""
        table = self._client.getTable(*_place(view)).deepCopy()
        table.setTableName(name)
        table.setViewOriginalText(requeried(table.getViewOriginalText(), query, comment=comment))
        table.getParameters().put(_VERSION, version)
        if self._client.tableExists(*_place(name)):
            self._client.alter_table(*_place(name), table)
        else:
            self._client.createTable(table)

    def requery(self, view: str, query: str) -> bool:
        """Replace the view's query by one with the same columns; return False if there is no such view."""
        place = _place(view)
        if not self._client.tableExists(*place):
            return False
        table = self._client.getTable(*place)
        table.setViewOriginalText(requeried(table.getViewOriginalText(), query))
        self._client.alter_table(*place, table)
        return True


@contextmanager
def view_comments(spark: SparkSession, metastore_uri: str) -> Iterator[ViewComments]:
    with metastore(spark, metastore_uri) as client:
        yield ViewComments(client)


def commented(definition: str, comments: Mapping[str, str]) -> str:
    """Return a view's definition, as Trino keeps it, with comments on its columns."""
    view = _parsed(definition)
    for column in view["columns"]:
        if comment := comments.get(column["name"]):
            column["comment"] = comment
    return _written(view)


def requeried(definition: str, query: str, **changes: str) -> str:
    """Return a view's definition, as Trino keeps it, with another query and these changes."""
    return _written(_parsed(definition) | {"originalSql": query} | changes)


def _place(view: str) -> tuple[str, str]:
    schema, _, name = view.rpartition(".")
    return schema or "default", name


def _parsed(definition: str) -> dict[str, Any]:
    if not (found := _DEFINITION.fullmatch(definition)):
        raise TableError(f"expected the definition of a view as Trino writes it, got {definition[:60]!r}")
    return dict(json.loads(base64.b64decode(found[1])))


def _written(view: Mapping[str, Any]) -> str:
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"
