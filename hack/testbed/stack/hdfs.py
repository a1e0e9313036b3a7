"""The programs of HDFS: a NameNode with a SecondaryNameNode or two with automatic failover, and a DataNode."""

from dataclasses import replace

from testbed.settings import HOST, ROOT, Settings
from testbed.stack import jdk, parts, probes
from testbed.stack.hdfs_client import NameNode
from testbed.stack.process import Program

JOURNALNODES = ("journalnode-0", "journalnode-1", "journalnode-2")
NAMENODES = ("namenode", "namenode-1")
FAILOVER_CONTROLLERS = ("zkfc-0", "zkfc-1")


def namenodes(settings: Settings) -> tuple[NameNode, ...]:
    """Return where each NameNode of the stack listens."""
    ports = settings.ports
    both = (
        NameNode(HOST, ports.namenode, ports.namenode_http, ports.zkfc_0),
        NameNode(HOST, ports.namenode_1, ports.namenode_1_http, ports.zkfc_1),
    )
    return both[: settings.namenodes]


def hdfs_environment(settings: Settings) -> dict[str, str]:
    """Return the settings of the HDFS servers and of the shell, `images/hdfs/run dfs`."""
    return {
        "JAVA_HOME": str(jdk.find("HDFS", 17, 21)),
        "HDFS_HOME": str(parts.path(settings, "hdfs")),
        "HADOOP_CONF_DIR": str(settings.hdfs_client),
        "HDFS_HOST": HOST,
        "SECONDARYNAMENODE_HTTP_PORT": str(settings.ports.secondarynamenode_http),
        "DATANODE_PORT": str(settings.ports.datanode),
        "DATANODE_HTTP_PORT": str(settings.ports.datanode_http),
        "DATANODE_IPC_PORT": str(settings.ports.datanode_ipc),
    }


def programs(settings: Settings) -> list[Program]:
    """Return the programs of HDFS."""
    return [*(_failover(settings) if settings.namenodes == 2 else _alone(settings)), _datanode(settings)]


def _server(settings: Settings, name: str, role: str, **more: str) -> Program:
    own = {**hdfs_environment(settings), "HDFS_DATA": str(settings.data / name), **more}
    return Program(name, [str(ROOT / "images/hdfs/run"), role], own, parts=("hdfs",))


def _alone(settings: Settings) -> list[Program]:
    return [_namenode(settings, 0), _secondarynamenode(settings)]


def _namenode(settings: Settings, number: int, **more: str) -> Program:
    port = settings.namenode_http_ports[number]
    name = NAMENODES[number]
    return replace(
        _server(settings, name, "namenode", **more),
        probe=lambda: probes.names_files(port),
        ports=("namenode", "namenode_http") if number == 0 else ("namenode_1", "namenode_1_http"),
    )


def _secondarynamenode(settings: Settings) -> Program:
    """Make the NameNode's checkpoints: without them its edit log grows forever."""
    return replace(
        _server(settings, "secondarynamenode", "secondarynamenode"),
        probe=lambda: probes.makes_checkpoints(settings),
        ports=("secondarynamenode_http",),
        needs=("namenode",),
    )


def _datanode(settings: Settings) -> Program:
    return replace(
        _server(settings, "datanode", "datanode"),
        probe=lambda: probes.serves_files(settings),
        ports=("datanode", "datanode_http", "datanode_ipc"),
        needs=("namenode",),
    )


def _failover(settings: Settings) -> list[Program]:
    """Two NameNodes that share their edits in JournalNodes; the standby makes the checkpoints."""
    found = [_journalnode(settings, number) for number in range(len(JOURNALNODES))]
    found.append(_zookeeper(settings))
    for number, needs in enumerate((JOURNALNODES, (*JOURNALNODES, NAMENODES[0]))):
        own = {**_quorum(settings), "HDFS_NAMENODE_ID": f"nn{number}"}
        # One that the other has replaced while it was frozen ends, because it may not write any more.
        found.append(replace(_namenode(settings, number, **own), needs=needs).kept_running())
        found.append(_controller(settings, number, own))
    return found


def _quorum(settings: Settings) -> dict[str, str]:
    ports = settings.ports
    rpc = (ports.journalnode_0, ports.journalnode_1, ports.journalnode_2)
    http = (ports.journalnode_0_http, ports.journalnode_1_http, ports.journalnode_2_http)
    return {
        "HDFS_JOURNALNODES": ";".join(f"{HOST}:{port}" for port in rpc),
        "HDFS_JOURNALNODES_HTTP": " ".join(f"{HOST}:{port}" for port in http),
        "HDFS_ZOOKEEPER": f"{HOST}:{ports.zookeeper}",
    }


def _journalnode(settings: Settings, number: int) -> Program:
    name = JOURNALNODES[number]
    rpc, http = f"journalnode_{number}", f"journalnode_{number}_http"
    port = getattr(settings.ports, http)
    own = {
        **_quorum(settings),
        "JOURNALNODE_PORT": str(getattr(settings.ports, rpc)),
        "JOURNALNODE_HTTP_PORT": str(port),
        "HDFS_HEAP": "96m",
    }
    return replace(
        _server(settings, name, "journalnode", **own),
        probe=lambda: probes.keeps_edits(port),
        ports=(rpc, http),
    )


def _zookeeper(settings: Settings) -> Program:
    port = settings.ports.zookeeper
    own = {"ZOOKEEPER_PORT": str(port), "ZOOKEEPER_BIND": HOST, "HDFS_HEAP": "64m"}
    return replace(
        _server(settings, "zookeeper", "zookeeper", **own),
        probe=lambda: probes.elects(port),
        ports=("zookeeper",),
    )


def _controller(settings: Settings, number: int, own: dict[str, str]) -> Program:
    """Watch a NameNode, and make it the active one when the other fails."""
    name = FAILOVER_CONTROLLERS[number]
    port = getattr(settings.ports, f"zkfc_{number}")
    controller = replace(
        _server(settings, name, "zkfc", **own, HDFS_HEAP="64m"),
        probe=lambda: probes.listens(port),
        ports=(f"zkfc_{number}",),
        needs=("zookeeper", NAMENODES[number]),
    )
    # It ends when ZooKeeper has lost everything.
    return controller.kept_running()
