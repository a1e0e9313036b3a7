"""The models: a dbt project, run by the dbt of a venv of its own."""

from urllib.parse import urlsplit

from testbed.settings import ROOT, Settings, SettingsError
from testbed.stack.process import Program

PROJECT = ROOT / "spark-apps/models"
DBT = ROOT / ".venv-models/bin/dbt"


def models(settings: Settings, *arguments: str) -> Program:
    """Return one run that brings all models up to date, and tests them."""
    if settings.trino_login:
        raise SettingsError("GAMELAKE_TRINO_LOGIN: expected 0, got 1: users who log in may not write models")
    if not DBT.exists():
        raise SettingsError(f"{DBT} is missing. Install it first: make .venv-models/run")
    trino = urlsplit(settings.trino_url)
    output = settings.data / "models"
    folders = {"--project-dir": PROJECT, "--profiles-dir": PROJECT, "--target-path": output, "--log-path": output}
    return Program(
        "models",
        [str(DBT), "build", *(str(part) for option in folders.items() for part in option), *arguments],
        {"MODELS_TRINO_HOST": str(trino.hostname), "MODELS_TRINO_PORT": str(trino.port)},
        ends=True,
    )
