"""Submits a SparkApplication with spark-submit, as the Spark operator and its webhook do."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from testbed.cluster.operators.standins.cluster import APPLICATIONS, Object, owner
from testbed.cluster.operators.standins.fields import refuse_all_but

APP_NAME = "sparkoperator.k8s.io/app-name"
SUBMISSION_ID = "sparkoperator.k8s.io/submission-id"

_TIMEOUT = 300
_HADOOP_CONF = "/etc/hadoop/conf"
_CONTAINERS = {"driver": "spark-kubernetes-driver", "executor": "spark-kubernetes-executor"}
_RESTART = ["onFailureRetries", "onFailureRetryInterval", "onSubmissionFailureRetries"]
_RESTART += ["onSubmissionFailureRetryInterval", "type"]
_COMMON = [
    *("type", "mode", "sparkVersion", "image", "imagePullPolicy", "imagePullSecrets", "mainApplicationFile"),
    *(
        "mainClass",
        "arguments",
        "sparkConf",
        "hadoopConf",
        "hadoopConfigMap",
        "nodeSelector",
        "volumes",
        "memoryOverheadFactor",
    ),
    *(f"restartPolicy.{field}" for field in _RESTART),
]
# Fields for which Spark has a setting, with the setting's name after `spark.`.
_SETTINGS = {
    "cores": "{role}.cores",
    "coreRequest": "kubernetes.{role}.request.cores",
    "coreLimit": "kubernetes.{role}.limit.cores",
    "memory": "{role}.memory",
    "memoryOverhead": "{role}.memoryOverhead",
    "image": "kubernetes.{role}.container.image",
    "serviceAccount": "kubernetes.authenticate.{role}.serviceAccountName",
    "javaOptions": "{role}.extraJavaOptions",
}
# Fields that a container or a pod has, too.
_CONTAINER = ["env", "envFrom", "ports", "volumeMounts", "securityContext"]
_POD = ["terminationGracePeriodSeconds", "affinity", "tolerations", "priorityClassName", "hostAliases", "nodeSelector"]
_ROLE = [*_SETTINGS, *_CONTAINER, *_POD, "podSecurityContext", "labels", "annotations"]
_SUPPORTED = [
    *_COMMON,
    *(f"{role}.{field}" for role in _CONTAINERS for field in _ROLE),
    *("driver.podName", "executor.instances", "executor.deleteOnTermination"),
]


# Each submission is a JVM, and the stand-ins have memory for one.
_one_at_a_time = Lock()


def check(application: Object) -> None:
    """Refuse the fields that the stand-in does not support."""
    spec = {name: value for name, value in application["spec"].items() if not (name == "suspend" and not value)}
    refuse_all_but(_SUPPORTED, spec)


def driver_pod(application: Object) -> str:
    spec = application["spec"]
    named = spec["driver"].get("podName") or spec.get("sparkConf", {}).get("spark.kubernetes.driver.pod.name")
    return str(named or f"{application['metadata']['name']}-driver")


def submit(application: Object, submission_id: str) -> str:
    """Let Spark create the driver; return the error, or an empty string."""
    with tempfile.TemporaryDirectory() as folder:
        templates = {role: Path(folder) / f"{role}.yaml" for role in _CONTAINERS}
        for role, file in templates.items():
            # JSON is YAML.
            file.write_text(json.dumps(pod_template(application, role)))
        command = ["/opt/spark/bin/spark-submit", *arguments(application, submission_id, templates)]
        try:
            with _one_at_a_time:
                done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            return f"failed to submit spark application: no answer within {_TIMEOUT} s"
    return "" if done.returncode == 0 else f"failed to submit spark application: {done.stderr[-2000:].strip()}"


def arguments(application: Object, submission_id: str, templates: dict[str, Path]) -> list[str]:
    spec = application["spec"]
    settings = dict(_settings(application, submission_id))
    settings |= {f"spark.kubernetes.{role}.podTemplateFile": str(file) for role, file in templates.items()}
    return [
        *("--master", "k8s://https://kubernetes.default.svc", "--deploy-mode", spec.get("mode", "cluster")),
        *("--name", application["metadata"]["name"]),
        *(("--class", spec["mainClass"]) if "mainClass" in spec else ()),
        *(part for name, value in settings.items() for part in ("--conf", f"{name}={value}")),
        spec["mainApplicationFile"],
        *spec.get("arguments", []),
    ]


def _settings(application: Object, submission_id: str) -> Iterator[tuple[str, str]]:
    """Yield Spark's settings; later ones replace earlier ones of the same name."""
    spec, metadata = application["spec"], application["metadata"]
    yield "spark.kubernetes.namespace", metadata["namespace"]
    yield "spark.kubernetes.submission.waitAppCompletion", "false"
    if "image" in spec:
        yield "spark.kubernetes.container.image", spec["image"]
    if "imagePullPolicy" in spec:
        yield "spark.kubernetes.container.image.pullPolicy", spec["imagePullPolicy"]
    if "imagePullSecrets" in spec:
        yield "spark.kubernetes.container.image.pullSecrets", ",".join(spec["imagePullSecrets"])
    if "memoryOverheadFactor" in spec:
        yield "spark.kubernetes.memoryOverheadFactor", spec["memoryOverheadFactor"]
    yield from spec.get("sparkConf", {}).items()
    for name, value in spec.get("hadoopConf", {}).items():
        yield f"spark.hadoop.{name}", value
    for name, value in spec.get("nodeSelector", {}).items():
        yield f"spark.kubernetes.node.selector.{name}", value
    yield "spark.kubernetes.driver.pod.name", driver_pod(application)
    for role in _CONTAINERS:
        yield from _settings_of(role, application, submission_id)


def _settings_of(role: str, application: Object, submission_id: str) -> Iterator[tuple[str, str]]:
    role_spec, metadata = application["spec"][role], application["metadata"]
    for field, name in _SETTINGS.items():
        if field in role_spec:
            yield f"spark.{name.format(role=role)}", str(role_spec[field])
    if role == "executor":
        yield "spark.executor.instances", str(role_spec.get("instances", 1))
        if "deleteOnTermination" in role_spec:
            yield "spark.kubernetes.executor.deleteOnTermination", str(role_spec["deleteOnTermination"]).lower()
    labels = {
        APP_NAME: metadata["name"],
        SUBMISSION_ID: submission_id,
        "sparkoperator.k8s.io/launched-by-spark-operator": "true",
        "sparkoperator.k8s.io/mutated-by-spark-operator": "true",
        **metadata.get("labels", {}),
        **role_spec.get("labels", {}),
    }
    for name, value in labels.items():
        yield f"spark.kubernetes.{role}.label.{name}", value
    for name, value in role_spec.get("annotations", {}).items():
        yield f"spark.kubernetes.{role}.annotation.{name}", value


def pod_template(application: Object, role: str) -> Object:
    """Return the pod template that Spark completes: the fields for which Spark has no settings."""
    spec = application["spec"]
    role_spec = spec[role]
    container = {field: role_spec[field] for field in _CONTAINER if field in role_spec}
    pod = {field: role_spec[field] for field in _POD if field in role_spec}
    if "podSecurityContext" in role_spec:
        pod["securityContext"] = role_spec["podSecurityContext"]
    mounted = {mount["name"] for mount in role_spec.get("volumeMounts", [])}
    pod["volumes"] = [volume for volume in spec.get("volumes", []) if volume["name"] in mounted]
    if "hadoopConfigMap" in spec:
        name = "hadoop-configmap-volume"
        pod["volumes"].append({"name": name, "configMap": {"name": spec["hadoopConfigMap"]}})
        mount = {"name": name, "mountPath": _HADOOP_CONF}
        container["volumeMounts"] = [*container.get("volumeMounts", []), mount]
        container["env"] = [*container.get("env", []), {"name": "HADOOP_CONF_DIR", "value": _HADOOP_CONF}]
    # Executors are deleted with their driver.
    owners = {"ownerReferences": [owner(APPLICATIONS, application, controller=True)]} if role == "driver" else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": owners,
        "spec": {**pod, "containers": [{"name": _CONTAINERS[role], **container}]},
    }
