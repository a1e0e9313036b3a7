import shutil

import pytest

from tests.charts.rendering import Charts


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Charts:
    if not shutil.which("helm"):
        pytest.skip("helm is not on the PATH: charts cannot be rendered")
    return Charts(tmp_path_factory.mktemp("charts") / "charts")
