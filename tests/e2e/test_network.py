"""Network policies as the cluster enforces them."""

from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.e2e.walls import check

pytestmark = pytest.mark.timeout(3600)


def test_only_allowed_connections_succeed(installation: Installation, tmp_path: Path) -> None:
    """Every pod reaches the ports that policies name for it, and no other; nor does a pod of another namespace."""
    check(installation, tmp_path)
