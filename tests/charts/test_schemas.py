"""What the charts render, and the jobs' manifests, are objects that a cluster takes."""

import copy

import pytest

from tests.charts.rendering import CHARTS, Charts, jobs
from tests.charts.schemas import problem
from tests.charts.variants import VARIANTS


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_object_fits_its_schema(charts: Charts, variant: str) -> None:
    """Installed in any of these ways, each object is what Kubernetes, Strimzi or the Spark operator accepts."""
    files, values = VARIANTS[variant]
    objects = charts.render("gamelake", *files, values=values)
    assert [said for one in objects if (said := problem(one))] == []


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_stands_alone(charts: Charts, chart: str) -> None:
    """Each chart installs by itself, with its own values."""
    assert [said for one in charts.render(chart) if (said := problem(one))] == []


@pytest.mark.parametrize("job", jobs())
def test_every_job_fits_its_schema(job: str) -> None:
    """Each manifest of spark-apps is what the Spark operator accepts."""
    assert problem(jobs()[job]) == ""


def test_the_schemas_notice_a_slip(charts: Charts) -> None:
    """A field with a wrong name or type is found in each family of objects."""
    objects = [*charts.render("gamelake"), *jobs().values()]
    for kind in ("Deployment", "NetworkPolicy", "Kafka", "KafkaTopic", "SparkApplication"):
        slipped = copy.deepcopy(next(one for one in objects if one["kind"] == kind))
        slipped["spec"]["replicsa"] = 1
        assert "replicsa" in problem(slipped), kind


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_two_objects_share_a_name(charts: Charts, variant: str) -> None:
    """Of a kind each name is given once: Helm would apply one over the other."""
    files, values = VARIANTS[variant]
    names = [(one["kind"], one["metadata"]["name"]) for one in charts.render("gamelake", *files, values=values)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("chart", CHARTS)
def test_lint_is_content(charts: Charts, chart: str) -> None:
    """`helm lint --strict` has nothing to say."""
    assert charts.lint(chart) == ""


@pytest.mark.parametrize("file", ["values-kind.yaml", "values-ha.yaml"])
def test_lint_is_content_with_each_values_file(charts: Charts, file: str) -> None:
    """The same for the umbrella with the values of a small and of a large cluster."""
    assert charts.lint("gamelake", file) == ""
