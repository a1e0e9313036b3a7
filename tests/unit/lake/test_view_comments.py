"""Comments on the columns of a view, in Trino's definition of it."""

import base64
import json

import pytest
from lake.events_table import TableError
from lake.view_comments import commented, requeried


def definition(view: object) -> str:
    return f"/* Presto View: {base64.b64encode(json.dumps(view).encode()).decode()} */"


def test_columns_get_their_comments() -> None:
    """Columns with a comment get it, and nothing else changes."""
    columns = [{"name": "player", "type": "varchar", "comment": "old"}, {"name": "other", "type": "bigint"}]
    view = {"originalSql": "SELECT 1", "columns": columns, "runAsInvoker": True}
    expected = view | {"columns": [columns[0] | {"comment": "Who"}, columns[1]]}
    assert commented(definition(view), {"player": "Who", "gold": "How much"}) == definition(expected)


def test_a_query_is_replaced() -> None:
    """A view gets another query, and nothing else changes."""
    view = {"originalSql": "SELECT 1", "columns": [{"name": "player", "type": "varchar"}], "runAsInvoker": True}
    assert requeried(definition(view), "SELECT 2") == definition(view | {"originalSql": "SELECT 2"})


def test_another_format_is_refused() -> None:
    """A definition that Trino would not write is not changed."""
    with pytest.raises(TableError, match="as Trino writes it, got 'SELECT 1'"):
        commented("SELECT 1", {})
