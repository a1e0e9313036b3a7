"""The jobs' manifests can be applied unchanged, and differ only where they must."""

import pytest

from tests.charts.rendering import ROOT, Charts, application, containers, environment, jobs, of


def test_there_is_one_for_each_job() -> None:
    """Stream, batch, tables and maintenance have a manifest; each runs the program of its name from the image."""
    assert jobs().keys() == {"stream", "batch", "tables", "maintain"}
    for name, job in jobs().items():
        assert job["metadata"]["name"] == name
        file = application(job)["mainApplicationFile"].removeprefix("local:///opt/gamelake/")
        assert file == f"spark-apps/{name}.py"
        assert (ROOT / file).exists()


@pytest.mark.parametrize("job", jobs())
def test_they_differ_only_where_they_must(job: str) -> None:
    """Image, volumes, accounts, security and settings are the same in all jobs; only `tables` logs in to Trino."""
    stream, one = application(jobs()["stream"]), application(jobs()[job])
    if job == "tables":
        for parts, key in ((one, "volumes"), (one["driver"], "volumeMounts"), (one["driver"], "env")):
            *parts[key], login = parts[key]
            assert "trino" in str(login)
    own = {"mainApplicationFile", "arguments", "restartPolicy", "driver"}
    assert {k: v for k, v in one.items() if k not in own} == {k: v for k, v in stream.items() if k not in own}
    of_stream = {"annotations", "ports", "terminationGracePeriodSeconds"}
    assert {k: v for k, v in one["driver"].items() if k not in of_stream} == {
        k: v for k, v in stream["driver"].items() if k not in of_stream
    }


def test_only_the_stream_is_always_restarted() -> None:
    """The stream is always restarted, other jobs only after a failure, and maintenance not at all: it is scheduled."""
    policies = {name: application(job)["restartPolicy"]["type"] for name, job in jobs().items()}
    assert policies == {"stream": "Always", "batch": "OnFailure", "tables": "OnFailure", "maintain": "Never"}
    assert jobs()["maintain"]["spec"]["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize("job", jobs())
def test_they_use_the_objects_of_the_chart(charts: Charts, job: str) -> None:
    """The service account exists, and the pods have the label that the network policies select."""
    objects = charts.render("spark")
    spec = application(jobs()[job])
    assert of(objects, "ServiceAccount", spec["driver"]["serviceAccount"])
    [policy] = of(objects, "NetworkPolicy", "spark")
    for role in ("driver", "executor"):
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= spec[role]["labels"].items()


def test_the_streams_metrics_are_found(charts: Charts) -> None:
    """Annotations and PodMonitor point to the port of the stream's metrics."""
    objects = charts.render("spark", values={"monitoring": {"enabled": True}})
    driver = application(jobs()["stream"])["driver"]
    [port] = driver["ports"]
    [settings] = of(objects, "ConfigMap")
    assert settings["data"]["METRICS_PORT"] == driver["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    [monitor] = of(objects, "PodMonitor")
    assert monitor["spec"]["podMetricsEndpoints"] == [{"port": port["name"]}]
    # Spark adds the role label.
    assert monitor["spec"]["selector"]["matchLabels"].items() <= {**driver["labels"], "spark-role": "driver"}.items()


@pytest.mark.parametrize("job", jobs())
def test_the_chart_has_the_same_jobs(charts: Charts, job: str) -> None:
    """What a release installs as one of `jobs.names` is the job's manifest in spark-apps, plus the release's labels."""
    kafka = {"global": {"kafka": {"caSecret": "events-cluster-ca-cert"}}}
    objects = charts.render("spark", values={**kafka, "jobs": {"names": [job]}})
    [released] = [one for one in objects if one["apiVersion"] == "sparkoperator.k8s.io/v1beta2"]
    labels = released["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "gamelake"
    manifest = jobs()[job]
    assert labels.items() >= manifest["metadata"]["labels"].items()
    assert {**released, "metadata": manifest["metadata"]} == manifest, "run hack/update-jobs"


def test_jobs_are_upgraded_before_other_pods(charts: Charts) -> None:
    """With jobs in the release, a hook runs tables.py, then ends a stream of another image; it may do no more."""
    assert not of(charts.render("spark"), "Job")
    digest = f"sha256:{'7' * 64}"
    objects = charts.render("spark", values={"jobs": {"names": ["stream"]}, "image": {"digest": digest}})
    [stream] = of(objects, "SparkApplication")
    [upgrade] = of(objects, "Job")
    pod = upgrade["spec"]["template"]["spec"]
    tables, stop = containers(upgrade["spec"]["template"])
    image = f"localhost/gamelake/spark@{digest}"
    assert stream["spec"]["image"] == tables["image"] == stop["image"] == environment(objects, stop)["IMAGE"] == image
    assert tables["args"] == ["tables.py"]
    [role] = of(objects, "Role", pod["serviceAccountName"])
    assert {(*rule["resourceNames"], *rule["verbs"]) for rule in role["rules"]} == {
        (stream["metadata"]["name"], "get", "delete"),
        (f"{stream['metadata']['name']}-driver", "get"),
    }
    parts = [
        upgrade,
        role,
        *of(objects, "RoleBinding", "spark-upgrade"),
        *of(objects, "ServiceAccount", "spark-upgrade"),
    ]
    assert len(parts) == 4
    for part in parts:
        assert part["metadata"]["annotations"]["helm.sh/hook"] == "post-install,pre-upgrade"
    assert [part for part in parts if part["metadata"]["annotations"]["helm.sh/hook-weight"] == "0"] == [upgrade]
