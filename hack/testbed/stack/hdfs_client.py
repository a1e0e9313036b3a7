"""How clients find HDFS: a folder of configuration that all programs of the stack share.

The file system is a logical one, so that no path contains the host or the port of a NameNode.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from lake.settings import FILE_SYSTEM

_NAME = urlsplit(FILE_SYSTEM).netloc


class NameNode(NamedTuple):
    """Where a NameNode listens; `zkfc` is the port of its failover controller."""

    host: str
    rpc: int
    http: int
    zkfc: int


def spark_properties(folder: Path) -> Path:
    """Return where the same is for Spark: Java makes and uses no class archive if a folder is on the class path."""
    return folder.with_suffix(".properties")


def write(folder: Path, *namenodes: NameNode) -> None:
    """Write the folder for one NameNode, or for two of which either may be the active one."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "core-site.xml", {"fs.defaultFS": FILE_SYSTEM})
    provider = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
    addresses = {
        "dfs.nameservices": _NAME,
        # Without it a client takes the name for a host.
        f"dfs.client.failover.proxy.provider.{_NAME}": provider,
        **(_addresses(_NAME, namenodes[0]) if len(namenodes) == 1 else _failover(namenodes)),
        # A client waits a minute for the NameNode, and finds a restarted one soon.
        "dfs.client.failover.max.attempts": "30",
        "dfs.client.failover.sleep.max.millis": "2000",
    }
    hdfs = {**addresses, "dfs.replication": "1"}
    _write(folder / "hdfs-site.xml", hdfs)
    both = {"fs.defaultFS": FILE_SYSTEM, **hdfs}
    spark_properties(folder).write_text("".join(f"spark.hadoop.{name} {value}\n" for name, value in both.items()))


def _addresses(name: str, namenode: NameNode) -> dict[str, str]:
    return {
        f"dfs.namenode.rpc-address.{name}": f"{namenode.host}:{namenode.rpc}",
        f"dfs.namenode.http-address.{name}": f"{namenode.host}:{namenode.http}",
    }


def _failover(namenodes: Sequence[NameNode]) -> dict[str, str]:
    found = {
        f"dfs.ha.namenodes.{_NAME}": ",".join(f"nn{number}" for number in range(len(namenodes))),
        # A client turns to the other NameNode when one is silent: a frozen process, a lost machine.
        "ipc.client.rpc-timeout.ms": "20000",
        "ipc.client.connect.timeout": "5000",
    }
    for number, namenode in enumerate(namenodes):
        found |= _addresses(f"{_NAME}.nn{number}", namenode)
        found[f"dfs.ha.zkfc.port.{_NAME}.nn{number}"] = str(namenode.zkfc)
    return found


def _write(path: Path, properties: Mapping[str, str]) -> None:
    configuration = Element("configuration")
    for name, value in properties.items():
        one = SubElement(configuration, "property")
        SubElement(one, "name").text, SubElement(one, "value").text = name, value
    indent(configuration)
    ElementTree(configuration).write(path, encoding="utf-8", xml_declaration=True)
