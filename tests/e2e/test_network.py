"""Network policies as the cluster enforces them."""

from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.e2e.walls import check

_ASK = """\
exec 3<>/dev/tcp/127.0.0.1/$0
printf 'GET /webhdfs/v1/lake?op=LISTSTATUS&user.name=gamelake HTTP/1.0\r\n\r\n' >&3
read -r _ status _ <&3
echo "$status"
"""

pytestmark = pytest.mark.timeout(3600)


def test_only_allowed_connections_succeed(installation: Installation, tmp_path: Path) -> None:
    """Every pod reaches the ports that policies name for it, and no other; nor does a pod of another namespace."""
    check(installation, tmp_path)


@pytest.mark.parametrize(("pod", "port"), [("namenode-0", 9870), ("datanode-0", 9864)])
def test_webhdfs_accepts_no_user(installation: Installation, pod: str, port: int) -> None:
    """Hadoop cannot turn WebHDFS off, but nobody can be anybody there, not even from within the server's pod."""
    status = installation.cluster.execute(pod, "bash", "-c", _ASK, str(port)).strip()
    assert status in ("400", "404")
