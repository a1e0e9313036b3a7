"""The jobs' manifests: applied as they are, and alike where they should be."""

import pytest

from tests.charts.rendering import ROOT, Charts, application, jobs, of


def test_there_is_one_for_each_job() -> None:
    """Stream, batch, tables and maintenance can be applied, each runs the program of its name, from the image."""
    assert jobs().keys() == {"stream", "batch", "tables", "maintain"}
    for name, job in jobs().items():
        assert job["metadata"]["name"] == name
        file = application(job)["mainApplicationFile"].removeprefix("local:///opt/gamelake/")
        assert file == f"spark-apps/{name}.py"
        assert (ROOT / file).exists()


@pytest.mark.parametrize("job", jobs())
def test_they_differ_only_where_they_must(job: str) -> None:
    """What no job has a reason to change is the same in all: image, volumes, accounts, security, settings."""
    stream, one = application(jobs()["stream"]), application(jobs()[job])
    own = {"mainApplicationFile", "arguments", "restartPolicy", "driver"}
    assert {k: v for k, v in one.items() if k not in own} == {k: v for k, v in stream.items() if k not in own}
    of_stream = {"annotations", "ports", "terminationGracePeriodSeconds"}
    assert {k: v for k, v in one["driver"].items() if k not in of_stream} == {
        k: v for k, v in stream["driver"].items() if k not in of_stream
    }


def test_a_stream_comes_back_and_others_end() -> None:
    """The stream is always started again; a job that ends well is not, and maintenance has its next turn anyway."""
    policies = {name: application(job)["restartPolicy"]["type"] for name, job in jobs().items()}
    assert policies == {"stream": "Always", "batch": "OnFailure", "tables": "OnFailure", "maintain": "Never"}
    assert jobs()["maintain"]["spec"]["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize("job", jobs())
def test_they_use_what_the_chart_makes(charts: Charts, job: str) -> None:
    """The service account exists, and the pods have the name by which the network policies know them."""
    objects = charts.render("spark")
    spec = application(jobs()[job])
    assert of(objects, "ServiceAccount", spec["driver"]["serviceAccount"])
    [policy] = of(objects, "NetworkPolicy")
    for role in ("driver", "executor"):
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= spec[role]["labels"].items()


def test_the_streams_metrics_are_found(charts: Charts) -> None:
    """Prometheus finds the stream's metrics where they are served, by annotations or by the PodMonitor."""
    objects = charts.render("spark", values={"monitoring": {"enabled": True}})
    driver = application(jobs()["stream"])["driver"]
    [port] = driver["ports"]
    [settings] = of(objects, "ConfigMap")
    assert settings["data"]["METRICS_PORT"] == driver["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    [monitor] = of(objects, "PodMonitor")
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": port["name"]}]
    # Spark itself adds the role.
    assert monitor["spec"]["selector"]["matchLabels"].items() <= {**driver["labels"], "spark-role": "driver"}.items()
