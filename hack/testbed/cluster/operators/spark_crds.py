"""Generates the definitions of the Spark operator's resources from its published models."""

import json
import sys
from pathlib import Path
from typing import Any

from kubeflow_spark_api import models

_GROUP, _VERSION = "sparkoperator.k8s.io", "v1beta2"
_STATE = ".status.applicationState.state"
_COLUMNS = {
    "SparkApplication": {
        "Status": ("string", _STATE),
        "Attempts": ("string", ".status.executionAttempts"),
        "Start": ("string", ".status.lastSubmissionAttemptTime"),
        "Finish": ("string", ".status.terminationTime"),
        "Age": ("date", ".metadata.creationTimestamp"),
    },
    "ScheduledSparkApplication": {
        "Schedule": ("string", ".spec.schedule"),
        "Suspend": ("string", ".spec.suspend"),
        "Last Run": ("date", ".status.lastRun"),
        "Last Run Name": ("string", ".status.lastRunName"),
        "Age": ("date", ".metadata.creationTimestamp"),
    },
}
_SHORT = {"SparkApplication": "sparkapp", "ScheduledSparkApplication": "scheduledsparkapp"}
# Values that the models leave open and the operator does not.
_CHOICES = {
    ("SparkApplicationSpec", "type"): ["Java", "Python", "Scala", "R"],
    ("SparkApplicationSpec", "mode"): ["cluster", "client"],
    ("RestartPolicy", "type"): ["Never", "Always", "OnFailure"],
}
_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definition(kind: str) -> dict[str, Any]:
    model = getattr(models, f"SparkV1beta2{kind}").model_json_schema()
    plural = f"{kind.lower()}s"
    version = {
        "name": _VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": type_, "jsonPath": path} for name, (type_, path) in _COLUMNS[kind].items()
        ],
        "schema": {"openAPIV3Schema": schema(model)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{_GROUP}",
            # Required in groups of k8s.io, which are Kubernetes' own.
            "annotations": {"api-approved.kubernetes.io": "unapproved, generated from the operator's models for tests"},
        },
        "spec": {
            "group": _GROUP,
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
            | {"shortNames": [_SHORT[kind]]},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def schema(model: dict[str, Any]) -> dict[str, Any]:
    """Convert a model to a structural schema, without references and alternatives."""
    converted = _structural(model, model["$defs"], model["title"])
    converted["properties"]["metadata"] = {"type": "object"}
    converted["required"] = ["spec"]
    return converted


def _structural(node: dict[str, Any], definitions: dict[str, Any], title: str) -> dict[str, Any]:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return _named(name, definitions)
    if "anyOf" in node:
        # Every alternative of the models is one type or null.
        [only] = [one for one in node["anyOf"] if one != {"type": "null"}]
        return _structural(only, definitions, title)
    converted: dict[str, Any] = {name: node[name] for name in ("type", "format", "required") if name in node}
    if "properties" in node:
        converted["properties"] = {
            name: _structural(one, definitions, title) | _choice(title, name)
            for name, one in node["properties"].items()
        }
    if "items" in node:
        converted["items"] = _structural(node["items"], definitions, title)
    if isinstance(node.get("additionalProperties"), dict):
        converted["additionalProperties"] = _structural(node["additionalProperties"], definitions, title)
    elif node.get("additionalProperties") or (converted.get("type") == "object" and "properties" not in converted):
        return _FREE
    return converted


def _named(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    if name.endswith(("IntOrString", "Quantity")):
        return {"x-kubernetes-int-or-string": True}
    if name.endswith("PodTemplateSpec"):
        # The operator's own definition does the same, or it would be too large.
        return _FREE
    return _structural(definitions[name], definitions, name.removeprefix("SparkV1beta2"))


def _choice(title: str, name: str) -> dict[str, Any]:
    return {"enum": _CHOICES[title, name]} if (title, name) in _CHOICES else {}


if __name__ == "__main__":
    for kind in _COLUMNS:
        (Path(sys.argv[1]) / f"{kind.lower()}.json").write_text(json.dumps(definition(kind), indent=1))
