"""The settings of the stack on one machine."""

from pathlib import Path

import pytest
from testbed.settings import Ports, Settings, SettingsError
from testbed.stack import hdfs
from testbed.stack.programs import spark_job


def test_the_trigger_is_passed_to_the_stream():
    """STREAM_TRIGGER_SECONDS is passed to the stream of the stack; the default is 10 s."""
    for given, expected in (({}, "10"), ({"STREAM_TRIGGER_SECONDS": "3"}, "3")):
        assert spark_job(Settings.from_environment(given), "stream").environment["STREAM_TRIGGER_SECONDS"] == expected


def test_an_invalid_trigger_is_named():
    """A trigger that is not a number is refused with the variable's name."""
    with pytest.raises(SettingsError, match="STREAM_TRIGGER_SECONDS: expected a whole number, got 'soon'"):
        Settings.from_environment({"STREAM_TRIGGER_SECONDS": "soon"})


def test_the_number_of_namenodes_decides_which_servers_run(tmp_path: Path):
    """One NameNode has a SecondaryNameNode; two have what lets one take over from the other. A third is refused."""
    found = {
        number: {one.name for one in hdfs.programs(Settings(tmp_path, tmp_path, namenodes=number))} for number in (1, 2)
    }
    assert found[1] == {"namenode", "secondarynamenode", "datanode"}
    assert found[2] == {*hdfs.NAMENODES, *hdfs.JOURNALNODES, *hdfs.FAILOVER_CONTROLLERS, "zookeeper", "datanode"}
    with pytest.raises(SettingsError, match="GAMELAKE_NAMENODES: expected 1 or 2, got '3'"):
        Settings.from_environment({"GAMELAKE_NAMENODES": "3"})


def test_the_stream_serves_its_metrics_on_loopback(tmp_path: Path):
    """The job listens where the stack tells it to, which is not reachable from outside."""
    settings = Settings(tmp_path, tmp_path, Ports(stream_metrics=9999))
    environment = spark_job(settings, "stream").environment
    assert (environment["METRICS_HOST"], environment["METRICS_PORT"]) == ("127.0.0.1", "9999")
