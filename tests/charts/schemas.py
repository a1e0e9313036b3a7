"""The schemas that the API server applies to objects, made strict: they refuse unknown fields."""

import os
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator, ValidationError
from kubeflow_spark_api import models
from testbed.settings import Settings
from testbed.stack import jdk
from testbed.versions import versions

from tests.charts.rendering import ROOT, Object

_KUBERNETES = ("1.30", "1.36")
"""The oldest supported version, and the version that is tested."""


def problem(thing: Object) -> str:
    """Return the error in an object, empty if there is none."""
    group = thing["apiVersion"].rpartition("/")[0]
    try:
        _CHECKS.get(group, _check_core)(thing)
    except (ValidationError, kubernetes_validate.ValidationError) as error:
        return f"{thing['kind']} {thing['metadata']['name']}: {'.'.join(map(str, error.path))}: {error.message}"
    return ""


def _check_core(thing: Object) -> None:
    for version in _KUBERNETES:
        kubernetes_validate.validate(thing, version, strict=True)


def _check_strimzi(thing: Object) -> None:
    strimzi_schemas()[thing["kind"]].validate(thing)


def _check_spark(thing: Object) -> None:
    _spark_schema(thing["kind"]).validate(thing)


def _no_schema(thing: Object) -> None:
    """Resources of the Prometheus operator and the Gateway API: no Python package has their schemas."""
    assert thing["kind"] in ("PodMonitor", "PrometheusRule", "HTTPRoute")


@cache
def strimzi_schemas() -> dict[str, Draft202012Validator]:
    """Generated once into the cache by Strimzi's generator, which needs Maven and a JDK 21 or newer."""
    folder = Settings.from_environment().cache / f"strimzi-crds-{versions()['STRIMZI_VERSION']}"
    if not (folder / "kafkauser.yaml").exists():
        home = str(jdk.find("Strimzi's generator", 21, 25))
        made = subprocess.run(
            [ROOT / "hack/testbed/cluster/operators/strimzi-crds", folder],
            env={**os.environ, "JAVA_HOME": home},
            timeout=600,
        )
        made.check_returncode()
    return {kind: schema for file in folder.glob("*.yaml") for kind, schema in [_custom_resource(file)]}


def _custom_resource(file: Path) -> tuple[str, Draft202012Validator]:
    definition = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)["spec"]
    [version] = definition["versions"]
    return definition["names"]["kind"], Draft202012Validator(_closed(version["schema"]["openAPIV3Schema"]))


@cache
def _spark_schema(kind: str) -> Draft202012Validator:
    schema = getattr(models, f"SparkV1beta2{kind}").model_json_schema()
    # The model describes Python's wrapper of the two.
    schema["$defs"]["IoK8sApimachineryPkgApiResourceQuantity"] = {"type": ["string", "number"]}
    return Draft202012Validator(_closed(schema))


def _closed(schema: Any) -> Any:  # noqa: ANN401 any JSON
    """The same schema, which refuses unknown fields."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # Alternatives contain only the fields in which they differ.
    closed = {name: one if name in ("anyOf", "oneOf", "allOf") else _closed(one) for name, one in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


_CHECKS: dict[str, Callable[[Object], None]] = {
    "kafka.strimzi.io": _check_strimzi,
    "sparkoperator.k8s.io": _check_spark,
    "monitoring.coreos.com": _no_schema,
    "gateway.networking.k8s.io": _no_schema,
}
