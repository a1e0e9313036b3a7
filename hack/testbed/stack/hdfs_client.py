"""How clients find HDFS: a folder of configuration that all programs of the stack share.

The file system is a logical one, so that no path contains the host or the port of a NameNode.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from lake.settings import FILE_SYSTEM

_NAME = urlsplit(FILE_SYSTEM).netloc


def spark_properties(folder: Path) -> Path:
    """Return where the same is for Spark: Java makes and uses no class archive if a folder is on the class path."""
    return folder.with_suffix(".properties")


def write(folder: Path, host: str, rpc: int, http: int) -> None:
    """Write the folder for a NameNode at these ports."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "core-site.xml", {"fs.defaultFS": FILE_SYSTEM})
    provider = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
    addresses = {
        "dfs.nameservices": _NAME,
        # Without it a client takes the name for a host.
        f"dfs.client.failover.proxy.provider.{_NAME}": provider,
        f"dfs.namenode.rpc-address.{_NAME}": f"{host}:{rpc}",
        f"dfs.namenode.http-address.{_NAME}": f"{host}:{http}",
        # A client waits a minute for the NameNode, and finds a restarted one soon.
        "dfs.client.failover.max.attempts": "30",
        "dfs.client.failover.sleep.max.millis": "2000",
    }
    hdfs = {**addresses, "dfs.replication": "1"}
    _write(folder / "hdfs-site.xml", hdfs)
    both = {"fs.defaultFS": FILE_SYSTEM, **hdfs}
    spark_properties(folder).write_text("".join(f"spark.hadoop.{name} {value}\n" for name, value in both.items()))


def _write(path: Path, properties: Mapping[str, str]) -> None:
    configuration = Element("configuration")
    for name, value in properties.items():
        one = SubElement(configuration, "property")
        SubElement(one, "name").text, SubElement(one, "value").text = name, value
    indent(configuration)
    ElementTree(configuration).write(path, encoding="utf-8", xml_declaration=True)
