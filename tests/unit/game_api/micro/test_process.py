"""`python -m game_api.micro` as an app's tests start it."""

import json
import os
import re
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

from testbed.settings import ROOT


def test_it_serves_until_it_is_interrupted() -> None:
    """It prints its address, refuses malformed requests as the service does, and ends at once."""
    micro = subprocess.Popen(
        [sys.executable, "-m", "game_api.micro", "--port", "0"], cwd=ROOT / "api", stdout=subprocess.PIPE, text=True
    )
    try:
        assert micro.stdout
        address = micro.stdout.readline().split()[0].removeprefix("http://")
        connection = HTTPConnection(address, timeout=10)
        connection.request("POST", "/purchase_a_sword", headers={"X-Player": "ada"})
        assert connection.getresponse().read() == b"Sword Purchased!"
        connection.request("GET", "/" + 9000 * "a")
        assert connection.getresponse().status == 414
        connection.close()
        connection.request("GET", "/micro/good")
        assert json.loads(connection.getresponse().read())["count"] == 1
        micro.send_signal(signal.SIGINT)
        assert micro.wait(10) == 0
    finally:
        micro.kill()
        micro.wait()


def test_wrong_settings_are_named() -> None:
    """A wrong variable, or an address that is not its own, is one line."""
    command = [sys.executable, "-m", "game_api.micro", "--host", "192.0.2.1"]
    failed = subprocess.run(command, cwd=ROOT / "api", capture_output=True, text=True)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert failed.stderr.startswith("--host, --port: cannot listen on 192.0.2.1:5000")


def test_the_example_for_apps_passes(tmp_path: Path) -> None:
    """The tests in docs/testing-apps.md are as an app would have them."""
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/testing-apps.md").read_text(), re.DOTALL)
    (tmp_path / "test_app.py").write_text(example)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "api")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert "2 passed" in done.stdout, done.stdout
