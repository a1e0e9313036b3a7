"""A cluster accepts everything that the charts render, and the jobs' manifests."""

import copy

import pytest

from tests.charts.rendering import CHARTS, Charts, jobs
from tests.charts.schemas import problem
from tests.charts.variants import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_fits_its_schema(charts: Charts, variant: str) -> None:
    """In every variant, each object fits the schema of Kubernetes, Strimzi or the Spark operator."""
    files, values = VARIANTS[variant]
    objects = charts.render("gamelake", *files, values=values)
    assert [error for one in objects if (error := problem(one))] == []


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_stands_alone(charts: Charts, chart: str) -> None:
    """Each chart can be installed alone, with its default values."""
    assert [error for one in charts.render(chart) if (error := problem(one))] == []


@pytest.mark.parametrize("job", jobs())
def test_every_job_fits_its_schema(job: str) -> None:
    """Each manifest of spark-apps fits the schema of the Spark operator."""
    assert problem(jobs()[job]) == ""


def test_the_schemas_notice_a_slip(charts: Charts) -> None:
    """The schema of each kind of object refuses a misspelled field."""
    objects = [*charts.render("gamelake"), *jobs().values()]
    for kind in ("Deployment", "NetworkPolicy", "Kafka", "KafkaTopic", "SparkApplication"):
        slipped = copy.deepcopy(next(one for one in objects if one["kind"] == kind))
        slipped["spec"]["replicsa"] = 1
        assert "replicsa" in problem(slipped), kind


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_two_objects_share_a_name(charts: Charts, variant: str) -> None:
    """Names are unique per kind: otherwise Helm would apply one object over the other."""
    files, values = VARIANTS[variant]
    names = [(one["kind"], one["metadata"]["name"]) for one in charts.render("gamelake", *files, values=values)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("chart", CHARTS)
def test_lint_passes(charts: Charts, chart: str) -> None:
    """`helm lint --strict` reports nothing."""
    assert charts.lint(chart) == ""


@pytest.mark.parametrize("file", ["values-kind.yaml", "values-ha.yaml"])
def test_lint_passes_with_each_values_file(charts: Charts, file: str) -> None:
    """The same for the umbrella chart with each values file."""
    assert charts.lint("gamelake", file) == ""
