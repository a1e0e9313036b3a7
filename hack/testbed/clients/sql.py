"""Queries in Trino, and their results as tables."""

from typing import Any

from game_trino.connection import connected
from rich.console import Console
from rich.table import Table

from testbed.settings import Settings

USER = "gamelake"
"""The user of the testbed's own queries: that of the jobs."""


def ask(settings: Settings, query: str) -> tuple[list[str], list[list[Any]]]:
    """Run a query, and return the column names and the rows of its result."""
    with connected(settings.trino(USER), USER, catalog="hive", schema="default") as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        rows = cursor.fetchall()
        return [column.name for column in cursor.description or ()], rows


def count(settings: Settings, table: str) -> int:
    return int(ask(settings, f"SELECT count(*) FROM {table}")[1][0][0])


def show(settings: Settings, query: str) -> None:
    """Print a query and its result."""
    names, rows = ask(settings, query)
    table = Table(*names, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = Console(width=200 if not Console().is_terminal else None)
    console.print(f"\ntrino> {query};", highlight=False)
    console.print(table)
