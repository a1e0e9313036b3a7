"""Charts rendered by Helm, without a cluster."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from testbed.settings import ROOT
from yaml import CSafeLoader

CHARTS = ("kafka", "hdfs", "hive-metastore", "trino", "api", "spark", "gamelake")
"""The charts that can be installed; the last one contains the others."""
NAMESPACE = "game"

Object = dict[str, Any]


class Charts:
    """A copy of the charts' folder, with their dependencies built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "charts", folder, ignore=shutil.ignore_patterns("Chart.lock", "*.tgz"))
        for chart in CHARTS:
            _helm("dependency", "build", str(folder / chart)).check_returncode()
        self._rendered = cache(self._render)

    def render(self, chart: str, *files: str, values: Mapping[str, Any] | None = None) -> list[Object]:
        """Return the objects that `helm install` creates, hooks included; `files` are values files of the chart."""
        return [dict(one) for one in self._rendered(chart, files, json.dumps(values or {}))]

    def text(self, chart: str, *files: str, values: Mapping[str, Any] | None = None) -> str:
        """Return what Helm prints, rendered again for each call."""
        return self._template(chart, files, json.dumps(values or {})).stdout

    def lint(self, chart: str, *files: str) -> str:
        """Return the output of `helm lint --strict`, empty if it passes."""
        done = _helm("lint", "--strict", "--quiet", str(self.folder / chart), *self._files(chart, files))
        return done.stdout + done.stderr if done.returncode else ""

    def complaint(self, chart: str, values: Mapping[str, Any]) -> str:
        """Return Helm's error for these values, empty if it accepts them."""
        done = self._template(chart, (), json.dumps(values))
        return done.stderr if done.returncode else ""

    def refusal(self, chart: str, values: Mapping[str, Any]) -> str:
        """Return Helm's error for values that it must refuse."""
        done = self._template(chart, (), json.dumps(values))
        assert done.returncode, f"{chart} accepts {values}"
        return done.stderr

    def live_complaint(self, chart: str, values: Mapping[str, Any], kubeconfig: Path) -> str:
        """Return Helm's error for these values where the charts see a cluster, empty if it accepts them."""
        done = self._live(chart, values, kubeconfig)
        return done.stderr if done.returncode else ""

    def render_live(self, chart: str, kubeconfig: Path) -> list[Object]:
        """Return the objects that `helm upgrade` has where the charts see a cluster."""
        done = self._live(chart, {}, kubeconfig)
        assert not done.returncode, done.stderr
        return [one for one in yaml.load_all(done.stdout, Loader=CSafeLoader) if one]

    def _live(self, chart: str, values: Mapping[str, Any], kubeconfig: Path) -> subprocess.CompletedProcess[str]:
        where = ["template", "gamelake", str(self.folder / chart), "--namespace", "gamelake", "--values", "-"]
        return _helm(
            *where,
            "--dry-run=server",
            "--disable-openapi-validation",
            "--kubeconfig",
            str(kubeconfig),
            given=json.dumps(values),
        )

    def _render(self, chart: str, files: tuple[str, ...], values: str) -> list[Object]:
        done = self._template(chart, files, values)
        assert not done.returncode, done.stderr
        # Helm reads YAML 1.2, in which `on` and `08` are strings; no chart may contain such a difference.
        return [one for one in yaml.load_all(done.stdout, Loader=CSafeLoader) if one]

    def _template(self, chart: str, files: tuple[str, ...], values: str) -> subprocess.CompletedProcess[str]:
        where = ["template", "gamelake", str(self.folder / chart), "--namespace", NAMESPACE]
        return _helm(*where, *self._files(chart, files), "--values", "-", given=values)

    def _files(self, chart: str, files: tuple[str, ...]) -> list[str]:
        return [part for file in files for part in ("--values", str(self.folder / chart / file))]


def _helm(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["helm", *arguments], input=given, capture_output=True, text=True, timeout=120)


def values(chart: str, file: str = "values.yaml") -> Object:
    return dict(yaml.safe_load((ROOT / "charts" / chart / file).read_text()))


def jobs() -> dict[str, Object]:
    """The resources of `spark-apps`, by file name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "spark-apps").glob("*.yaml"))}


def application(job: Object) -> Object:
    """The SparkApplication that a resource of `spark-apps` is or schedules."""
    return dict(job["spec"].get("template", job["spec"]))


def of(objects: list[Object], kind: str, name: str | None = None) -> list[Object]:
    return [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """The pods of these objects, by kind and name: labels in `metadata`, everything else in `spec`."""
    for one in objects:
        where = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] == "Pod":
            yield where, one
        elif one["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield where, one["spec"]["template"]
        elif one["kind"] == "CronJob":
            yield where, one["spec"]["jobTemplate"]["spec"]["template"]


def containers(pod: Object) -> list[Object]:
    """All containers of a pod, init containers included."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def environment(objects: list[Object], container: Object) -> dict[str, str]:
    """A container's environment; a value from a Secret is shown as the Secret's name and key."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "secretRef" in source:
            continue
        [config] = of(objects, "ConfigMap", source["configMapRef"]["name"])
        found |= config["data"]
    for variable in container.get("env", []):
        source = variable.get("valueFrom", {})
        secret = source.get("secretKeyRef")
        found[variable["name"]] = f"secret {secret['name']}/{secret['key']}" if secret else variable.get("value", "")
    # As the kubelet expands it.
    return {name: re.sub(r"\$\((\w+)\)", lambda m: found.get(m[1], m[0]), value) for name, value in found.items()}
