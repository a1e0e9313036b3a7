"""The API conforms to its OpenAPI document."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.game import Game, running_game

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"

SETTINGS = """
[generation]
deterministic = true
max-examples = 3
database = "none"
# Many scripts, but only assigned characters: the document's patterns do not list the unassigned ones.
codec = "euc_jis_2004"

# The actions differ in a few parameters: every bound of every parameter is tried for some of them.
[[operations]]
include-path-regex = "^/v1/actions/(?!declare_war|explore|purchase_sword)"
phases.coverage.enabled = false
"""


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    with running_game(tmp_path_factory.mktemp("game")) as game:
        yield game


def test_the_api_conforms_to_its_document(game: Game, tmp_path: Path):
    """Generated requests, valid and invalid, get only responses that the document allows."""
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [SCHEMATHESIS, "--config-file", settings, "run", f"{game.url}/openapi.json"]
    with game.another_api(API_PLAYER_RATE="0", API_ADDRESS_RATE="0"):
        done = subprocess.run(
            [*command, "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"],
            env={**os.environ, "NO_PROXY": "127.0.0.1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=1500,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
