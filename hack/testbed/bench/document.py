"""docs/benchmarks.md: a section for each measurement, rendered from the stored results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from testbed.bench.report import Compared, Row, row, table
from testbed.results.result import DOCS, Result, load, save
from testbed.results.run import Run

NAME = "benchmarks.md"

_HEAD = """# Benchmarks

<!-- Written by `make bench` and `make kind-bench` from docs/results/benchmarks-*.json. Do not edit. -->

Each section names the date, the commit and the machine of its own run; measuring one section leaves the others as they
are. A ratio is gamelake's figure divided by the one that it is compared with. Where rounds alternate, the figures and
ratios are medians, and the brackets hold the lowest and the highest ratio. A target that was not met is printed as
**missed**.
"""


@dataclass(frozen=True)
class Section:
    """`about` says what is measured; `command` measures it."""

    title: str
    about: str
    command: str


def _of_bench(name: str, title: str, about: str) -> Section:
    return Section(title, about, f"make bench ARGS='--only {name}'")


SECTIONS = {
    "api": _of_bench(
        "api",
        "API",
        "The API, with and without its world, compared with a Go collector (net/http and franz-go) that acknowledges "
        "the same event, with a naive baseline under two servers, which does not wait for Kafka's acknowledgement, and "
        "with a raw producer loop. All use one broker, in alternated rounds. CPU is that of all processes of a server.",
    ),
    "batch": _of_bench(
        "batch",
        "Batch job",
        "The batch job, compared with a Spark batch that writes plain Parquet files: it neither validates a record nor "
        "checks what is already written.",
    ),
    "stream": _of_bench(
        "stream", "Stream", "The stream catching up with a full topic, compared with the same Spark batch as above."
    ),
    "freshness": _of_bench(
        "freshness",
        "Freshness",
        "The time from the acknowledgement of an event until a query in Trino shows it, on a stack that has run for "
        "five minutes.",
    ),
    "queries": _of_bench(
        "queries",
        "Queries",
        "Ten questions of a data team: to the views of gamelake, which count a retried event once, on the table "
        "`events` after maintenance; to the same views on the same table before it; to all-varchar Parquet files as "
        "the first version wrote them, in Trino too; and to DuckDB, with the same views on the files of the table. All "
        "give the same answers. The all-varchar files hold each event once, because their columns cannot tell a retry: "
        "that layout does not pay for the rule. CPU is that of the whole process.",
    ),
    "dashboard": _of_bench(
        "dashboard",
        "Dashboard",
        "The dashboard's queries, which add the undecided rows of the last two hours to the rollups of all others, "
        "compared with the same queries over all events. Both give the same answers.",
    ),
    "maintenance": _of_bench(
        "maintenance", "Maintenance", "Files and planning time before and after maintenance of an hour's small files."
    ),
    "scale": _of_bench(
        "scale",
        "A year's history",
        "What the table costs after a year, compared with one that has a single day: with the metadata of a year's "
        "files, which do not exist. Both are on HDFS, each in a catalog of files instead of the metastore.",
    ),
    "world": _of_bench(
        "world",
        "The world",
        "Rebuilding the world's store after it was lost: from the topic, and from a snapshot. The seconds run from the "
        "start of the process until it has caught up with the topic.",
    ),
    "connect": _of_bench(
        "connect",
        "Kafka Connect",
        "The stream, compared with Kafka Connect and Iceberg's sink: the same topic, HDFS and metastore, and a "
        "table of the same columns, partitions and properties, made beforehand. In alternated rounds each of them "
        "runs alone, with the same time between two commits; under faults both run at once. CPU is that of the "
        "writer with all its children. The sink has a task for each partition, reads JSON without schemas, adds "
        "each record's partition and offset by its own transform, and begins at the start of topics; all else is as "
        "it comes, but that its worker polls at least once a second, and that its client of the metastore is of "
        "Iceberg's release before. The stream also checks each event against the contract. A task of the sink that "
        "has failed is restarted at once, as an operator does, and counted. Rows are compared with Kafka by their "
        "place in the topic and their event's id.",
    ),
    "cluster": Section(
        "Kubernetes",
        "A kind cluster with all of gamelake, compared with the same servers as processes on the same machine, one "
        "after the other.",
        "make kind-bench",
    ),
}


def record(
    run: Run,
    measured: Mapping[str, Sequence[Row | Compared]],
    notes: Mapping[str, str] | None = None,
    docs: Path = DOCS,
) -> None:
    """Store the rows of these sections and render the document; other sections keep their stored results."""
    new = {
        name: Result(run, [asdict(one) for one in rows], [notes[name]] if notes and name in notes else [])
        for name, rows in measured.items()
    }
    stored = stored_results(docs)
    save(docs, {f"benchmarks-{name}": result for name, result in new.items()}, NAME, render(stored | new))


def stored_results(docs: Path = DOCS) -> dict[str, Result]:
    found = {name: load(docs, f"benchmarks-{name}") for name in SECTIONS}
    return {name: result for name, result in found.items() if result}


def render(results: Mapping[str, Result]) -> str:
    return "\n".join([_HEAD, *(line for name in SECTIONS for line in _section(SECTIONS[name], results.get(name)))])


def _section(section: Section, result: Result | None) -> Iterator[str]:
    yield f"## {section.title}\n\n{section.about}\n"
    if result is None:
        yield f"Not measured yet: `{section.command}`.\n"
        return
    yield f"{table(map(row, result.rows))}\n"
    yield from (f"{note}\n" for note in result.notes)
    yield f"{result.run}\n"
