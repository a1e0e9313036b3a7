"""Backups are made where the values say, of what the release has, by a pod that may do nothing else."""

from typing import Any

import pytest

from tests.charts.rendering import ROOT, Charts, Object, containers, environment, of, pods

ON: Object = {"backup": {"enabled": True}}


def of_backup(charts: Charts, *files: str, **values: Any) -> tuple[list[Object], Object]:  # noqa: ANN401 any value
    """All objects, and the pod of a backup."""
    values["backup"] = ON["backup"] | values.get("backup", {})
    objects = charts.render("gamelake", *files, values=values)
    [pod] = [pod for where, pod in pods(objects) if where == "CronJob backup"]
    return objects, pod


def test_one_value_turns_backups_on(charts: Charts) -> None:
    """By default there is nothing of them; values-ha.yaml has them."""
    usual = charts.render("gamelake")
    added = [one for one in charts.render("gamelake", values=ON) if one not in usual and one["kind"] != "Secret"]
    assert {(one["kind"], one["metadata"]["name"]) for one in added} == {
        ("CronJob", "backup"),
        ("PersistentVolumeClaim", "backup"),
        ("NetworkPolicy", "backup"),
        *(("NetworkPolicy", f"backup-of-{name}") for name in ("namenode", "datanode", "hive-metastore-postgresql")),
    }
    assert of(charts.render("gamelake", "values-ha.yaml"), "CronJob", "backup")
    assert "backup.enabled: needs hdfs.enabled" in charts.refusal("gamelake", {**ON, "hdfs": {"enabled": False}})


def test_the_volume(charts: Charts) -> None:
    """It is a claim of the chart, which outlives the release, or the one that the values name."""
    objects, pod = of_backup(charts)
    [claim] = of(objects, "PersistentVolumeClaim", "backup")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert {"name": "backup", "persistentVolumeClaim": {"claimName": "backup"}} in pod["spec"]["volumes"]
    objects, pod = of_backup(charts, backup={"existingClaim": "mine"})
    assert of(objects, "PersistentVolumeClaim", "backup") == []
    assert {"name": "backup", "persistentVolumeClaim": {"claimName": "mine"}} in pod["spec"]["volumes"]


def test_the_schedule_and_what_is_kept(charts: Charts) -> None:
    """Both are values; a schedule that is none is refused."""
    objects, pod = of_backup(charts, backup={"schedule": "7 * * * *", "keep": 24})
    assert of(objects, "CronJob", "backup")[0]["spec"]["schedule"] == "7 * * * *"
    assert environment(objects, pod["spec"]["containers"][0])["BACKUP_KEEP"] == "24"
    assert "schedule" in charts.refusal("gamelake", {"backup": {"schedule": "hourly"}})


@pytest.mark.parametrize(("file", "namenodes"), [("values-kind.yaml", 1), ("values-ha.yaml", 2)])
def test_the_script_is_given_the_names_it_reads(charts: Charts, file: str, namenodes: int) -> None:
    """The addresses of all NameNodes, and no setting that neither it nor images/hdfs/run reads."""
    objects, pod = of_backup(charts, file)
    [container] = pod["spec"]["containers"]
    given = environment(objects, container)
    assert given["HDFS_NAMENODES_HTTP"].split() == [f"namenode-{n}.namenode:9870" for n in range(namenodes)]
    script = "".join((ROOT / f"images/hdfs/{name}").read_text() for name in ("backup", "run"))
    assert [name for name in given if name not in script] == []
    assert container["args"] == ["backup", "/backup"]


def test_the_database_of_the_release_is_dumped_first(charts: Charts) -> None:
    """Only that container has the password; a database that the release does not have is its owner's to back up."""
    objects, pod = of_backup(charts, **{"hive-metastore": {"database": {"existingSecret": "mine"}}})
    dump, hdfs = containers(pod)
    # Both make the same folder, which no other pod has.
    assert "pg_dump" in dump["args"][0]
    assert "/partial-$HOSTNAME" in dump["args"][0]
    assert "/partial-$HOSTNAME" in (ROOT / "images/hdfs/backup").read_text()
    assert environment(objects, dump)["PGPASSWORD"] == "secret mine/password"
    assert "secret" not in str(hdfs["env"]).lower()
    external = {"url": "jdbc:postgresql://db.example:5432/metastore", "existingSecret": "mine"}
    for metastore in ({"database": external}, {"enabled": False}):
        objects, pod = of_backup(charts, **{"hive-metastore": metastore})
        assert [one["name"] for one in containers(pod)] == ["hdfs"]
        assert of(objects, "NetworkPolicy", "backup-of-hive-metastore-postgresql") == []


def test_no_policy_closes_a_server_that_was_open(charts: Charts) -> None:
    """Where a chart has no policies, none lets in backups alone."""
    parts = {name: {"networkPolicy": {"enabled": False}} for name in ("hdfs", "hive-metastore")}
    objects, _ = of_backup(charts, networkPolicy={"defaultDeny": False}, **parts)
    names = {policy["metadata"]["name"] for policy in of(objects, "NetworkPolicy")}
    assert "backup" in names
    assert not any(name.startswith("backup-of-") for name in names)


def test_deleted_files_are_in_the_trash(charts: Charts) -> None:
    """For a day, whatever the client's own configuration is."""
    [config] = of(charts.render("hdfs"), "ConfigMap", "hdfs")
    trash = "<property><name>fs.trash.interval</name><value>1440</value></property>"
    assert trash in config["data"]["hdfs-site.xml"]
    assert trash in (ROOT / "images/hdfs/conf/hdfs-site.xml").read_text()
