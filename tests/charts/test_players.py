"""How the chart configures who players are."""

from typing import Any

import game_api.settings
import pytest

from tests.charts.rendering import Charts, Object, environment, of
from tests.charts.schemas import problem
from tests.charts.variants import VARIANTS
from tests.e2e.identity_provider import VALUES, IdentityProvider

PROVIDER = {"jwksUrl": "https://id.example/jwks", "issuer": "https://id.example", "audience": "game"}


def folders(objects: list[Object], name: str) -> dict[str, Any]:
    """The Secrets that a Deployment mounts for its callers, by folder."""
    [deployment] = of(objects, "Deployment", name)
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    secrets = {
        one["name"]: one["secret"]["secretName"]
        for one in pod["volumes"]
        if "secret" in one and one["name"] != "trino-ca"
    }
    return {
        one["mountPath"]: secrets[one["name"]]
        for one in container["volumeMounts"]
        if one["name"] in secrets and one["name"] != "trino-ca"
    }


@pytest.mark.parametrize(
    ("variant", "mode"),
    [("default", "open"), ("kind", "open"), ("ha", "token"), ("claimed", "claimed"), ("provided", "token")],
)
def test_the_api_starts_in_its_mode(charts: Charts, variant: str, mode: str) -> None:
    """The settings of each variant are complete, and each file that they name is mounted."""
    files, chosen = VARIANTS[variant]
    objects = charts.render("gamelake", *files, values=chosen)
    [deployment] = of(objects, "Deployment", "api")
    given = environment(objects, deployment["spec"]["template"]["spec"]["containers"][0])
    settings = game_api.settings.Settings.from_environment({**given, "KAFKA_SASL_PASSWORD": "p"})
    identity, authority = settings.identity, settings.kafka.ssl_ca_location
    assert identity.mode == mode
    paths = (identity.token_secrets, identity.ingestion_keys, identity.suppressed)
    named = {path.rpartition("/")[0] for path in paths if path}
    shared = {authority.rpartition("/")[0]} if authority else set()
    assert set(folders(objects, "api")) == named | shared
    assert folders(objects, "world").keys() == shared


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({"players": {"mode": "claimed"}, "world": {"enabled": False}}, "claimed needs world.enabled"),
        ({"players": {"mode": "claimed", **PROVIDER}}, "players.jwksUrl: expected none in mode claimed"),
        ({"players": {"mode": "token", "jwksUrl": "https://id.example/jwks"}}, "players.issuer and players.audience"),
    ],
)
def test_a_mode_without_what_it_needs_is_refused(charts: Charts, chosen: Object, problem: str) -> None:
    """Values with which the API would not start are not rendered."""
    assert problem in charts.refusal("api", chosen)


def test_the_api_reads_the_keys_of_a_provider_in_the_cluster(charts: Charts) -> None:
    """With the provider of the e2e tests the API is in mode token, and policies let it read the provider's keys."""
    rendered = charts.render("gamelake", "values-kind.yaml", values=VALUES)
    made = IdentityProvider().objects()
    [deployment] = of(rendered, "Deployment", "api")
    given = environment(rendered, deployment["spec"]["template"]["spec"]["containers"][0])
    identity = game_api.settings.Settings.from_environment({**given, "KAFKA_SASL_PASSWORD": "p"}).identity
    [service], [pod], [keys] = of(made, "Service"), of(made, "Pod"), of(made, "ConfigMap")
    assert identity.mode == "token"
    [policy], [own] = of(rendered, "NetworkPolicy", "api"), of(made, "NetworkPolicy")
    labels, port = pod["metadata"]["labels"], service["spec"]["ports"][0]["port"]
    assert identity.jwks == f"http://{service['metadata']['name']}:{port}/{next(iter(keys['data']))}"
    assert service["spec"]["selector"] == labels
    assert {"to": [{"podSelector": {"matchLabels": labels}}], "ports": [{"port": port}]} in policy["spec"]["egress"]
    assert own["spec"]["podSelector"]["matchLabels"] == labels
    assert own["spec"]["ingress"] == [
        {"from": [{"podSelector": policy["spec"]["podSelector"]}], "ports": [{"port": port}]}
    ]
    assert [error for one in made if (error := problem(one))] == []
