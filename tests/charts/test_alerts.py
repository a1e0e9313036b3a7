"""Alerts fire when they should and are silent otherwise, by Prometheus' own evaluation."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.rendering import CHARTS, NAMESPACE, Charts, Object, of

CASES = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text())
WATCHED: dict[str, Any] = {
    "global": {"hdfs": {"namenodes": 2}},
    **{part: {"monitoring": {"enabled": True}} for part in CHARTS[:-1]},
}
"""With two NameNodes there is an alert more, and none less."""
OTHER = "another-game"
_AT = "100m"
"""When a fault's alerts are looked at, if it does not say otherwise."""
_BLIP = "65m"
"""When something is wrong for minutes in an installation in which all is well."""


@pytest.fixture(scope="module")
def groups(charts: Charts) -> list[Object]:
    rules = of(charts.render("gamelake", values=WATCHED), "PrometheusRule")
    return [group for one in rules for group in one["spec"]["groups"]]


def _alerts(groups: list[Object]) -> dict[str, Object]:
    """The rules, by name; those of one name, which several charts have, are alike."""
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _series(of_game: Mapping[str, str], of_other: Mapping[str, str]) -> list[Object]:
    """The series of two installations that one Prometheus watches."""
    return [
        {"series": name.replace("$namespace", namespace), "values": numbers}
        for namespace, series in ((NAMESPACE, of_game), (OTHER, of_other))
        for name, numbers in series.items()
    ]


def evaluate(groups: list[Object], fault: str, folder: Path) -> str:
    """Return what Prometheus does otherwise than expected if this installation has a fault, or another one has it."""
    case, well = CASES["faults"][fault], CASES["well"]
    faulty, at = well | case["differs"], case.get("at", _AT)
    raised: list[Object] = []
    silent: list[Object] = []
    for name, rule in _alerts(groups).items():
        labels = case.get("labels", [{}]) if name in case.get("raises", [fault]) else []
        alerts = [
            {"exp_labels": {**rule["labels"], "namespace": NAMESPACE, **one}, "exp_annotations": rule["annotations"]}
            for one in labels
        ]
        raised.append({"eval_time": at, "alertname": name, "exp_alerts": alerts})
        silent += [{"eval_time": when, "alertname": name, "exp_alerts": []} for when in (_BLIP, at)]
    tests = [
        {"interval": "1m", "input_series": _series(faulty, well), "alert_rule_test": raised},
        {"interval": "1m", "input_series": _series(well, faulty), "alert_rule_test": silent},
    ]
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(whole))
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yaml"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("fault", CASES["faults"])
def test_a_fault_raises_its_alerts_and_no_others(groups: list[Object], fault: str, tmp_path: Path) -> None:
    """A fault raises its alerts, with the namespace as a label; the same fault in another namespace raises none."""
    if not shutil.which("promtool"):
        pytest.skip("promtool is not on the PATH: alerts cannot be evaluated")
    assert evaluate(groups, fault, tmp_path) == ""


def test_every_alert_has_a_fault(groups: list[Object]) -> None:
    """For each alert there is a fault that raises it."""
    raised = {alert for fault, case in CASES["faults"].items() for alert in case.get("raises", [fault])}
    assert raised == _alerts(groups).keys()


def test_the_dashboard_shows_one_namespace(charts: Charts) -> None:
    """Each query of the dashboard selects series of the namespace that is chosen there."""
    [dashboard] = of(
        charts.render("gamelake", values={"dashboard": {"enabled": True}}), "ConfigMap", "gamelake-dashboard"
    )
    shown = json.loads(dashboard["data"]["gamelake.json"])
    assert "namespace" in {variable["name"] for variable in shown["templating"]["list"]}
    for query in (target["expr"] for panel in shown["panels"] for target in panel["targets"]):
        series = re.findall(r"\b[a-z]+_\w+\b(?!\()", re.sub(r"\{[^}]*\}", "", query))
        assert series, query
        assert query.count('{namespace="$namespace"') == len(series), query
