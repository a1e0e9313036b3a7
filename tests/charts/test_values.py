"""Every value is documented and has an effect, and other values are refused."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.charts.rendering import CHARTS, ROOT, Charts, Object, of, values

PARTS = CHARTS[:-1]
FREE = {"config", "catalogs", "annotations", "labels", "pod"}
"""Maps whose keys the user chooses."""

OTHER: dict[str, Any] = {
    "heap": "777m",
    "size": "77Gi",
    "cpu": "77m",
    "memory": "777Mi",
    "pullPolicy": "Always",
    "imageRegistry": "registry.example/",
    "imageTag": "0.1.0-7",
    "imagePullSecrets": [{"name": "registry"}],
    "pod": {"priorityClassName": "other"},
    "labels": {"release": "prometheus"},
    "dnsPorts": [5353],
    "apiServerPorts": [8443],
    "apiServerCidrs": ["10.7.0.0/16"],
    "sourceRanges": ["192.0.2.0/24"],
    "ipFamilyPolicy": "PreferDualStack",
    "scratch": "77Gi",
    "bootstrapServers": "kafka.example:9095",
    "uri": "thrift://metastore.example:9084",
    "url": "jdbc:postgresql://db.example:5432/metastore",
    "securityProtocol": "PLAINTEXT",
    "saslMechanism": "PLAIN",
    "type": "LoadBalancer",
    "config": {"some.property": "some value"},
    "catalogs": {"samples": "connector.name=tpch"},
    "catalogSecrets": ["warehouse"],
    "auditTopic": "queries",
    "keysUrl": "https://id.example/jwks",
    "trinoUrl": "https://trino.example",
    "maxMemory": "77mb",
    "annotations": {"some/name": "some value"},
    "hosts": ["game.example"],
    "corsOrigins": ["https://game.example"],
    "hostnames": ["game.example"],
    "parentRefs": [{"name": "other"}],
    "externalTrafficPolicy": "Local",
    "format": "json",
    "level": "DEBUG",
    "mode": "claimed",
    "jwksUrl": "https://id.example/jwks",
    "maxExecutionTime": "7m",
    "coreRequest": "77m",
    "memoryOverhead": "77m",
    "schedule": "7 * * * *",
    "driver.memory": "77m",
    "executor.memory": "77m",
    "names": ["stream"],
    "admission.secrets": ["other"],
    "digest": f"sha256:{'7' * 64}",
    **{f"{user}Quotas": {"producerByteRate": 7} for user in ("writer", "reader", "world", "trino")},
}
"""Non-default values, by the last part or two of the name, where an arbitrary value would not be valid."""

TOGETHER: dict[str, Any] = {
    "kafka replicationFactor": {"replicas": 3},
    "kafka minInsyncReplicas": {"replicas": 3, "replicationFactor": 3},
    "kafka replicas": {"replicas": 3},
    **{
        f"kafka controllers.{name}": {"controllers": {"replicas": 3}}
        for name in ("heap", "pod", "storage.size", "storage.class", "storage.annotations", "resources.limits.memory")
    },
    **{f"kafka controllers.resources.requests.{name}": {"controllers": {"replicas": 3}} for name in ("cpu", "memory")},
    "hdfs global.hdfs.replication": {"datanode": {"replicas": 3}},
    **{
        f"hdfs {server}.{name}": {"global": {"hdfs": {"namenodes": 2}}}
        for server in ("journalnode", "zookeeper", "namenode.zkfc")
        for name in (
            "heap",
            "storage.size",
            "storage.class",
            "storage.annotations",
            "pod",
            *(f"resources.{kind}" for kind in ("requests.cpu", "requests.memory", "limits.memory")),
        )
    },
    **{
        f"hdfs monitoring.image.{name}": {"monitoring": {"enabled": True}}
        for name in ("repository", "tag", "digest", "pullPolicy")
    },
    "hive-metastore database.url": {"database": {"existingSecret": "database"}},
    **{
        f"api service.{name}": {"service": {"type": "LoadBalancer"}}
        for name in ("externalTrafficPolicy", "class", "sourceRanges")
    },
    **{f"{chart} global.monitoring.labels": {"monitoring": {"enabled": True}} for chart in PARTS},
    **{f"spark jobs.{name}": {"jobs": {"names": ["stream"]}} for name in ("pod", "scratch", "upgrade")},
    "api store.enabled": {"store": {"existingSecret": "redis"}},
    "api players.existingSecret": {"players": {"mode": "claimed"}},
    "api players.jwksUrl": {"players": {"mode": "token", "issuer": "https://id.example", "audience": "game"}},
    "api httpRoute.hostnames": {"httpRoute": {"parentRefs": [{"name": "gateway"}]}},
    **{
        f"api ingress.{name}": {"ingress": {"enabled": True}}
        for name in ("className", "annotations", "hosts", "tlsSecret")
    },
    **{
        f"spark jobs.{role}.{name}": {"jobs": {"names": ["maintain"]}}
        for role in ("driver", "executor")
        for name in ("instances", "cores", "coreRequest", "memory", "memoryOverhead")
    },
    **{
        f"trino login.jwt.{name}": {"login": {"jwt": {"keysUrl": "https://id.example/jwks"}}}
        for name in ("issuer", "audience", "userField")
    },
    **{f"spark global.trino.{name}": {"jobs": {"names": ["tables"]}} for name in ("loginSecret", "caSecret")},
    "trino tls.existingSecret": {"global": {"trino": {"caSecret": ""}}},
    "spark maintain.schedule": {"jobs": {"names": ["maintain"]}},
    "api autoscaling.minReplicas": {"autoscaling": {"enabled": True}},
    "api autoscaling.maxReplicas": {"autoscaling": {"enabled": True}},
    "api autoscaling.targetCPU": {"autoscaling": {"enabled": True}},
}
"""Other values that a value needs to have an effect."""


def _paths(thing: Object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in thing.items():
        if isinstance(value, dict) and value and name not in FREE:
            yield from _paths(value, (*path, name))
        else:
            yield (*path, name), value


def _other(path: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401 any value
    for name in (".".join(path[-2:]), path[-1]):
        if name in OTHER:
            return OTHER[name]
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "other"}}}]
        case _:
            return "other"


def _nested(path: tuple[str, ...], value: Any) -> Object:  # noqa: ANN401 any value
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def _merged(one: Object, two: Object) -> Object:
    both = copy.deepcopy(one)
    for name, value in two.items():
        both[name] = (
            _merged(both[name], value) if isinstance(value, dict) and isinstance(both.get(name), dict) else value
        )
    return both


@pytest.mark.parametrize("chart", PARTS)
def test_every_value_does_something(charts: Charts, chart: str) -> None:
    """Changing a value changes the rendered objects."""
    unused = []
    for path, value in _paths(values(chart)):
        together = TOGETHER.get(f"{chart} {'.'.join(path)}", {})
        alone = {} if together.get(path[-1]) else together
        changed = _merged(_nested(path, _other(path, value)), together)
        if charts.render(chart, values=alone) == charts.render(chart, values=changed):
            unused.append(".".join(path))
    assert unused == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_left_out(charts: Charts, part: str) -> None:
    """`enabled` decides whether the umbrella chart renders a part, and changes nothing else."""
    every = {(one["kind"], one["metadata"]["name"]) for one in charts.render("gamelake")}
    without = charts.render("gamelake", values={part: {"enabled": False}})
    own = {(one["kind"], one["metadata"]["name"]) for one in charts.render(part)}
    # One Job makes the Secrets of all parts.
    own = {(kind, name) for kind, name in own if name != f"{part}-secrets"}
    assert {(one["kind"], one["metadata"]["name"]) for one in without} == every - own


def test_the_umbrellas_own_values_do_something(charts: Charts) -> None:
    """The dashboard (valid JSON with panels) and the default-deny policy follow their values."""
    objects = charts.render("gamelake", values={"dashboard": {"enabled": True}})
    [dashboard] = [one for one in objects if one["metadata"]["name"] == "gamelake-dashboard"]
    assert json.loads(dashboard["data"]["gamelake.json"])["panels"]
    denied = [one["metadata"]["name"] for one in charts.render("gamelake") if one["kind"] == "NetworkPolicy"]
    open_ = charts.render("gamelake", values={"networkPolicy": {"defaultDeny": False}})
    assert set(denied) - {one["metadata"]["name"] for one in open_ if one["kind"] == "NetworkPolicy"} == {
        "default-deny",
        "helm-test",
    }


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_has_a_comment(chart: str) -> None:
    """Each value, or the map that contains it, has a comment: `# --` and a sentence."""
    text = (ROOT / "charts" / chart / "values.yaml").read_text()
    assert list(_without_comment(yaml.compose(text), text.splitlines())) == []


def _without_comment(node: yaml.Node | None, lines: list[str]) -> Iterator[str]:
    assert isinstance(node, yaml.MappingNode)
    for key, value in node.value:
        above = key.start_mark.line - 1
        while above > 0 and re.match(r"\s*# (?!--)", lines[above]):
            above -= 1
        if re.match(r"\s*# -- [A-Z].*", lines[above]):
            continue
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from (f"{key.value}.{name}" for name in _without_comment(value, lines))
        else:
            yield key.value


@cache
def _schema(chart: str) -> Object:
    return dict(json.loads((ROOT / "charts" / chart / "values.schema.json").read_text()))


def _takes(chart: str, given: Object) -> bool:
    return Draft202012Validator(_schema(chart)).is_valid(given)


@pytest.mark.parametrize("chart", CHARTS)
def test_every_map_takes_its_own_keys_only(chart: str) -> None:
    """An unknown key is refused in every map; the keys of values.yaml are accepted, and are in the schema."""
    given = values(chart)
    assert _takes(chart, given)
    maps = {path[:depth] for path, _ in _paths(given) for depth in range(len(path))}
    # The parts' charts check their own values, and all of them the shared ones.
    elsewhere = set(PARTS) if chart == "gamelake" else {"global"}
    taken = []
    for path in sorted(maps):
        slip = _merged(given, _nested((*path, "tpyo"), 1))
        if (not path or path[0] not in elsewhere) and _takes(chart, slip):
            taken.append(".".join(path))
    assert taken == []


def _every(thing: Object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every value, maps included."""
    for name, value in thing.items():
        yield (*path, name)
        if isinstance(value, dict) and name not in FREE:
            yield from _every(value, (*path, name))


def _names(error: str, path: tuple[str, ...]) -> bool:
    """Whether an error, if there is one, names the value."""
    return (
        not error
        or f"missing property '{path[-1]}'" in error
        or f"at '/{'/'.join(path)}'" in error
        or ("missing properties" in error and f"'{path[-1]}'" in error)
    )


@pytest.mark.parametrize("chart", CHARTS)
def test_a_value_that_is_missing_is_named(charts: Charts, chart: str) -> None:
    """If any value is null or missing (as after an upgrade), a chart renders or names it in the error."""
    unnamed = {}
    for path in _every(values(chart)):
        error = charts.complaint(chart, _nested(path, None))
        if not _names(error, path):
            unnamed[".".join(path)] = error
    assert unnamed == {}


@pytest.mark.parametrize("part", PARTS)
def test_a_map_that_is_missing_is_named_by_the_umbrella(charts: Charts, part: str) -> None:
    """The same holds for the maps of a part, if the umbrella chart gets the null."""
    unnamed = {}
    for map_ in {path[:depth] for path, _ in _paths(values(part)) for depth in range(1, len(path))}:
        where = map_ if map_[0] == "global" else (part, *map_)
        error = charts.complaint("gamelake", _nested(where, None))
        if not _names(error, map_):
            unnamed[".".join(where)] = error
    assert unnamed == {}


@pytest.mark.parametrize("chart", PARTS)
def test_the_schema_has_no_other_keys_than_the_values(chart: str) -> None:
    """Every key of the schema is in values.yaml, except the two that the umbrella chart sets."""
    known = _schema(chart)["properties"].keys()
    assert known - values(chart).keys() == {"enabled", "common"}


def test_the_umbrella_has_all_shared_values() -> None:
    """Each value under `global` of a part can be set in the umbrella chart, and the comment there names it."""
    shared = {path[1:3] for part in PARTS for path, _ in _paths(values(part)) if path[0] == "global"}
    known = _schema("gamelake")["properties"]["global"]["properties"]
    flat: set[tuple[str, ...]] = {(name,) for name, one in known.items() if "properties" not in one}
    flat |= {(name, inner) for name, one in known.items() for inner in one.get("properties", {})}
    assert flat == shared
    comment = (ROOT / "charts/gamelake/values.yaml").read_text()
    assert [path for path in shared if f"`{'.'.join(path)}`" not in comment] == []


@pytest.mark.parametrize(
    ("chart", "slip", "expected"),
    [
        ("gamelake", {"apii": {}}, "additional properties 'apii' not allowed"),
        ("gamelake", {"api": {"replica": 3}}, "additional properties 'replica' not allowed"),
        ("gamelake", {"global": {"kafka": {"topics": "x"}}}, "additional properties 'topics' not allowed"),
        ("kafka", {"replicas": 2}, "replicas: 1, 3 or 5 nodes can be brokers and controllers, not 2"),
        ("kafka", {"controllers": {"replicas": 2}}, "value must be one of 0, 1, 3, 5"),
        ("kafka", {"replicationFactor": 3}, "replicationFactor: 3 copies need as many nodes, replicas is 1"),
        ("kafka", {"minInsyncReplicas": 2}, "minInsyncReplicas: 2 copies are asked for, replicationFactor makes 1"),
        ("hdfs", {"global": {"hdfs": {"replication": 2}}}, "2 copies need as many DataNodes, datanode.replicas is 1"),
        ("hdfs", {"global": {"hdfs": {"namenodes": 3}}}, "value must be one of 1, 2"),
        ("hdfs", {"datanode": {"storage": {"size": "much"}}}, "'much' does not match pattern"),
        ("hive-metastore", {"database": {"url": "jdbc:postgresql://x/y"}}, "database.existingSecret: is needed"),
        ("spark", {"maintain": {"orphanHours": 1}}, "minimum: got 1, want 24"),
        ("api", {"global": {"kafka": {"securityProtocol": "TLS"}}}, "value must be one of 'PLAINTEXT', 'SSL'"),
        ("kafka", {"listeners": {"plain": 80}}, "at '/listeners/plain'"),
        ("kafka", {"users": {"trinoQuotas": {"bytes": 1}}}, "additional properties 'bytes' not allowed"),
        ("api", {"store": {"enabled": False}}, "store.existingSecret: is needed without store.enabled"),
        ("gamelake", {"api": {"limits": None}}, "missing property 'limits'"),
        (
            "gamelake",
            {"hdfs": {"secondarynamenode": {"checkpoint": None}}},
            "at '/secondarynamenode': missing property",
        ),
        ("api", {"limits": {"playerRate": -1}}, "minimum: got -1, want 0"),
        ("trino", {"worker": {"replicas": "two"}}, "got string, want integer"),
        ("trino", {"query": {"maxExecutionTime": "forever"}}, "'forever' does not match pattern"),
        ("trino", {"spill": {"gib": 0}}, "minimum: got 0, want 1"),
        ("gamelake", {"global": {"imageRegistry": ""}}, "'' does not match pattern"),
        ("gamelake", {"global": {"imageRegistry": "team/"}}, "'team/' does not match pattern"),
        ("api", {"image": {"tag": "@sha256:7"}}, "'@sha256:7' does not match pattern"),
        ("kafka", {"clusterName": "k" * 41}, "maxLength: got 41, want 40"),
        ("api", {"pod": {"nodeselector": {}}}, "additional properties 'nodeselector' not allowed"),
        ("api", {"pod": {"labels": {"app.kubernetes.io/name": "mine"}}}, "propertyName 'app.kubernetes.io/name'"),
        ("gamelake", {"global": {"pod": {"toleration": []}}}, "additional properties 'toleration' not allowed"),
        ("trino", {"coordinator": {"resources": {"limits": {"memory": "1Kb"}}}}, "'1Kb' does not match pattern"),
    ],
)
def test_wrong_values_are_refused(charts: Charts, chart: str, slip: Object, expected: str) -> None:
    """A wrong value stops the installation with a message that names the value and what was expected."""
    assert expected in charts.refusal(chart, slip)


@pytest.mark.parametrize("size", ["77Gi", "1.5Gi", "1Pi", "500G"])
def test_kubernetes_quantities_are_taken(charts: Charts, size: str) -> None:
    """Sizes may have a fraction and any unit of bytes; resources may include the machine's disk."""
    asked = {"memory": size, "cpu": 1.5, "ephemeral-storage": size}
    chosen = {"datanode": {"storage": {"size": size}, "resources": {"requests": asked, "limits": asked}}}
    [server] = of(charts.render("hdfs", values=chosen), "StatefulSet", "datanode")
    assert server["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == size
    assert server["spec"]["template"]["spec"]["containers"][0]["resources"] == {"requests": asked, "limits": asked}


def test_charts_share_their_definitions() -> None:
    """What the schemas define under one name is the same in every chart."""
    found: dict[str, list[Object]] = {}
    for chart in CHARTS:
        for name, definition in _schema(chart)["$defs"].items():
            found.setdefault(name, []).append(definition)
    assert [name for name, same in found.items() if any(one != same[0] for one in same)] == []


@pytest.mark.parametrize("chart", CHARTS)
def test_the_readme_lists_the_values(chart: str) -> None:
    """The chart's README lists exactly its values, with their defaults, as hack/update-charts generates it."""
    readme = (ROOT / "charts" / chart / "README.md").read_text()
    listed = dict(re.findall(r"^\| ([\w.-]+) \| \w+ \| `(.*?)` \| \S.* \|$", readme, re.MULTILINE))
    expected = {}
    given = values(chart)
    whole = {"global": given.pop("global")} if chart == "gamelake" else {}
    for path, value in (*whole.items(), *_documented(given)):
        expected[path] = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    assert listed == expected


def _documented(thing: Object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Maps on one line, and resources, count as one value."""
    for name, value in thing.items():
        if isinstance(value, dict) and value and name not in {"image", "resources"} | FREE:
            yield from _documented(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
