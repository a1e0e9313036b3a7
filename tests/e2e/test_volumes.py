"""What outlives the release."""

import pytest
from kind import jobs
from kind.cluster import RELEASE

from tests.e2e.installation import Installation, make
from tests.e2e.traffic import traffic

pytestmark = pytest.mark.timeout(3600)


def test_uninstall_and_install_again(installation: Installation) -> None:
    """After `helm uninstall` and `make kind` every row is there, and new ones come."""
    with traffic(installation):
        installation.await_fresh_row()
    before = installation.count()
    for job in ("stream", "maintain", "tables"):
        jobs.delete(installation.cluster, job)
    installation.cluster.helm("uninstall", RELEASE, "--wait")

    make("kind")
    installation.await_fresh_row()
    assert installation.count() > before
    assert installation.differences() == {}
