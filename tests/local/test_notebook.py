"""The notebook, executed by a real kernel against the real stack."""

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import mean
from typing import Any

import nbformat
import pytest
import requests
import trino
from game_api.pages.queries import QUERIES
from game_events import FAMILIES, catalog
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from testbed.settings import HOST, ROOT, Ports
from testbed.stack.programs import spark_job
from testbed.stack.stack import Stack

from tests.local.lake import Lake

NOTEBOOK = ROOT / "hack/testbed/notebook/gamelake.ipynb"
PLAYERS = ("knight1.comcast.com", "knight2.att.com")
GIVEN = {"guild": "Round Table", "target": "the dragon"}
ROUNDS = 3
FIRST = {
    "accept": "varchar",
    "host": "varchar",
    "user_agent": "varchar",
    "description": "varchar",
    "event_type": "varchar",
    "strength": "integer",
    "timestamp": "timestamp(6) with time zone",
}
"""The columns of the first version, and their types."""


def read() -> NotebookNode:
    notebook: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def execute(notebook: NotebookNode, trino_port: int) -> NotebookNode:
    """Run the cells in order, in a new kernel; raise CellExecutionError at the first failure."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "api"),
        "TRINO_URL": f"http://{HOST}:{trino_port}",
    }
    return NotebookClient(notebook, timeout=600, startup_timeout=600).execute(env=environment)


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def images(notebook: NotebookNode) -> list[str]:
    return [output.data["image/png"] for output in outputs(notebook) if "image/png" in output.get("data", {})]


def answer(notebook: NotebookNode, query: str) -> list[list[str]]:
    """Return the table below the cell with exactly this query: the column names, then the rows."""
    return table(notebook, f'sql("{query}")')


def table(notebook: NotebookNode, source: str) -> list[list[str]]:
    """Return the table below the cell with this source."""
    (cell,) = [cell for cell in notebook.cells if cell.source == source]
    (output,) = cell.outputs
    rows = re.findall("<tr.*?</tr>", output.data["text/html"], re.DOTALL)
    # The first cell of each row is pandas' index.
    return [re.findall("<t[hd]>(.*?)</t[hd]>", row)[1:] for row in rows]


def send(stack: Stack, player: str, request: str, parameters: dict[str, str]) -> None:
    url = stack.settings.api_url + request
    requests.get(url, parameters, headers={"Host": player}, timeout=20).raise_for_status()


@contextmanager
def cursor(stack: Stack) -> Iterator[Any]:
    port = stack.settings.ports.trino
    with closing(
        trino.dbapi.connect(host=HOST, port=port, user="test", catalog="hive", schema="default")
    ) as connection:
        yield connection.cursor()


@pytest.fixture(scope="module")
def purchases(stack: Stack) -> list[dict[str, Any]]:
    """The purchases after players took each unconditional action. They include other tests' rows."""
    for player in PLAYERS * ROUNDS:
        for action in catalog.FIRST:
            parameters = {parameter.name: GIVEN[parameter.name] for parameter in action.parameters}
            send(stack, player, action.request, parameters)
    send(stack, PLAYERS[0], "/declare_a_war", {"target": "the dragon"})
    Lake(stack).write([b"no event"])
    stack.run(spark_job(stack.settings, "batch", "batch.py", "load"))
    with cursor(stack) as executing:
        rows = executing.execute("select * from purchases").fetchall()
        return [dict(zip([column.name for column in executing.description], row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def executed(stack: Stack, purchases: list[dict[str, Any]]) -> NotebookNode:
    assert len(purchases) >= 3 * len(PLAYERS) * ROUNDS
    return execute(read(), stack.settings.ports.trino)


@pytest.fixture
def empty_schema(stack: Stack) -> Iterator[str]:
    """A schema with the notebook's tables, without rows."""
    with cursor(stack) as executing:
        executing.execute("create schema nothing").fetchall()
        for name in ("events", "purchases", "rejected_events"):
            executing.execute(f"create view nothing.{name} as select * from default.{name} where false").fetchall()
        yield "nothing"
        executing.execute("drop schema nothing cascade").fetchall()


def test_the_notebook_is_kept_clean() -> None:
    """The file has no outputs, no execution counts and no metadata of the machine it was written on."""
    notebook = read()
    nbformat.validate(notebook)
    assert notebook.metadata == {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    assert outputs(notebook) == []
    assert all(not cell.metadata and cell.get("execution_count") is None for cell in notebook.cells)


def test_it_lists_the_tables(executed: NotebookNode) -> None:
    """`show tables` lists the table of all events and the view of each family."""
    header, *rows = answer(executed, "show tables")
    assert header == ["Table"]
    assert {"events", "rejected_events", *FAMILIES} <= {table for (table,) in rows}


def test_it_describes_purchases(executed: NotebookNode) -> None:
    """`describe purchases` lists the seven columns of the first version, in order."""
    header, *rows = answer(executed, "describe purchases")
    assert header[:2] == ["Column", "Type"]
    assert {column: kind for column, kind, *_ in rows if column in FIRST} == FIRST
    assert [column for column, *_ in rows if column in FIRST] == list(FIRST)


def test_it_shows_ten_purchases(executed: NotebookNode, purchases: list[dict[str, Any]]) -> None:
    """`select *` shows ten different purchases, with the stored values in the first version's columns."""
    header, *rows = answer(executed, "select * from purchases limit 10")
    assert len(rows) == len({tuple(row) for row in rows}) == 10
    # pandas formats times, and numbers in columns with missing values, differently.
    shown = [name for name in header if name in FIRST and name != "timestamp"]
    stored = [[str(purchase[name]) for name in shown] for purchase in purchases]
    assert all([row[header.index(name)] for name in shown] in stored for row in rows)


def test_it_lists_the_types_of_purchase(executed: NotebookNode, purchases: list[dict[str, Any]]) -> None:
    """`select distinct` shows each type of purchase once."""
    header, *rows = answer(executed, "select distinct event_type from purchases")
    bought = {purchase["event_type"] for purchase in purchases}
    assert header == ["event_type"]
    assert sorted(rows) == sorted([name] for name in bought)


def test_it_averages_the_strength(executed: NotebookNode, purchases: list[dict[str, Any]]) -> None:
    """`avg` is the mean of all strengths."""
    _, (average,) = answer(executed, "select avg(cast(strength as integer)) from purchases")
    assert float(average) == pytest.approx(mean(purchase["strength"] for purchase in purchases), abs=1e-6)


def test_it_runs_the_dashboards_queries(executed: NotebookNode) -> None:
    """Each of the dashboard's queries runs; the tables show the declared war and the rejected record."""
    sources = [cell.source for cell in executed.cells]
    assert [name for name in QUERIES if not any(f'sql(QUERIES["{name}"]' in source for source in sources)] == []
    header, *wars = table(executed, 'sql(QUERIES["wars"], "nobody is at war")')
    assert header[:3] == ["player", "target", "event_type"]
    assert [PLAYERS[0], "the dragon", "declare_war"] in [war[:3] for war in wars]
    assert [PLAYERS[1], "the dragon"] not in [war[:2] for war in wars]
    _, *rejected = table(executed, 'sql(QUERIES["rejected"], "nothing was rejected")')
    assert "no event" in [row[2] for row in rejected]


def test_it_draws_five_plots(executed: NotebookNode) -> None:
    """The notebook shows five PNG images, no error and no hint for empty tables."""
    assert len(images(executed)) == 5
    assert all(image.startswith("iVBORw0KGgo") for image in images(executed))
    assert "no rows yet" not in str(outputs(executed))


def test_without_rows_it_says_how_to_create_some(stack: Stack, empty_schema: str) -> None:
    """With empty tables every cell runs, and prints what to do instead of a plot."""
    notebook = read()
    for cell in notebook.cells:
        cell.source = cell.source.replace('schema="default"', f'schema="{empty_schema}"')
    execute(notebook, stack.settings.ports.trino)
    # A busy kernel may send a line in two parts.
    printed = "".join(output.text for output in outputs(notebook) if output.get("name") == "stdout")
    assert printed.count("no rows yet: make demo KEEP=1\n") == 8
    for otherwise in ("nothing happened in the last hour: make play", "nobody is at war", "nothing was rejected"):
        assert f"{otherwise}\n" in printed
    assert images(notebook) == []


def test_without_trino_the_first_cell_says_so() -> None:
    """The error names the address and `make up`."""
    port = Ports.free().trino
    with pytest.raises(CellExecutionError) as caught:
        execute(notebook := read(), port)
    assert caught.value.ename == "ConnectionError"
    assert f"Trino is unavailable at http://{HOST}:{port}. Start it with `make up`" in caught.value.evalue
    assert [output.output_type for output in outputs(notebook)] == ["error"]
