"""Trino's users log in, and every client has its own user's password and no other."""

import json
import re

import pytest
from testbed.settings import ROOT

from tests.charts.rendering import Charts, Object, application, containers, environment, jobs, of, pods
from tests.charts.test_resources import properties

CLIENTS = {"Deployment api": "dashboard", "Deployment world": "world", "Pod trino-test": "gamelake"}
"""The user of each client."""


def secrets_of(pod: Object) -> dict[str, list[str]]:
    """The keys that a pod gets from Trino's Secrets, in files or in its environment, by Secret."""
    found: dict[str, list[str]] = {}
    for volume in pod["spec"].get("volumes", ()):
        if "secret" in volume:
            found.setdefault(volume["secret"]["secretName"], []).extend(
                item["key"] for item in volume["secret"].get("items", ())
            )
    for container in containers(pod):
        for variable in container.get("env", ()):
            if source := variable.get("valueFrom", {}).get("secretKeyRef"):
                found.setdefault(source["name"], []).append(source["key"])
    return {name: sorted(keys) for name, keys in found.items() if name.startswith("trino-")}


def test_every_pod_has_what_it_needs(charts: Charts) -> None:
    """A client has its password and the authority; nodes have their secret, and the coordinator what it checks."""
    objects = charts.render("gamelake", values={"trino": {"worker": {"replicas": 2}}})
    found = {where: secrets for where, pod in pods(objects) if (secrets := secrets_of(pod))}
    assert found == {
        **{where: {"trino-login": [user], "trino-tls": ["ca.crt"]} for where, user in CLIENTS.items()},
        "Deployment trino": {"trino-login": ["password.db", "shared-secret"], "trino-tls": ["tls.crt", "tls.key"]},
        "Deployment trino-worker": {"trino-login": ["shared-secret"]},
    }


def test_clients_check_the_certificate(charts: Charts) -> None:
    """Each connects with https to a name of the certificate, and trusts the authority in a file that it mounts."""
    objects = charts.render("gamelake")
    [job] = of(objects, "Job", "gamelake-secrets")
    [maker] = job["spec"]["template"]["spec"]["containers"]
    names = {one.removeprefix("--trino-name=") for one in maker["args"] if one.startswith("--trino-name=")}
    clients = [container for where, pod in pods(objects) if where in CLIENTS for container in pod["spec"]["containers"]]
    for client in (*clients[:2], application(jobs()["tables"])["driver"]):
        given = environment(objects, client)
        address = re.fullmatch(r"https://([\w.-]+):8443", given["TRINO_URL"])
        assert address
        assert address[1] in names
        folder, _, file = given["TRINO_CA_LOCATION"].rpartition("/")
        assert file == "ca.crt"
        assert folder in [mount["mountPath"] for mount in client["volumeMounts"]]
    # Port-forwards end on loopback.
    assert {"localhost", "127.0.0.1"} <= names


def test_secrets_of_your_own_are_used(charts: Charts) -> None:
    """Their names are values."""
    values = {
        "global": {"trino": {"loginSecret": "trino-users", "caSecret": ""}},
        "trino": {"tls": {"existingSecret": "trino-certificate"}},
    }
    objects = charts.render("gamelake", values=values)
    found = {where: secrets for where, pod in pods(objects) if (secrets := secrets_of(pod))}
    assert found["Deployment trino"] == {
        "trino-users": ["password.db", "shared-secret"],
        "trino-certificate": ["tls.crt", "tls.key"],
    }
    assert {where: found[where] for where in CLIENTS} == {
        where: {"trino-users": [user]} for where, user in CLIENTS.items()
    }
    [api] = of(objects, "Deployment", "api")
    assert "TRINO_CA_LOCATION" not in environment(objects, api["spec"]["template"]["spec"]["containers"][0])


def test_a_certificate_of_your_own_comes_with_its_authority(charts: Charts) -> None:
    """Clients would wait for a Secret that nobody makes. The authority may be in the same Secret, or a public one."""
    mine = {"existingSecret": "trino-certificate"}
    assert "global.trino.caSecret" in charts.refusal("gamelake", {"trino": {"tls": mine}})
    assert "global.trino.caSecret" in charts.refusal("trino", {"tls": mine})
    for authority in ("", "trino-certificate", "authority"):
        values = {"tls": mine, "global": {"trino": {"caSecret": authority}}}
        assert charts.complaint("trino", values) == ""
    assert charts.complaint("trino", {"tls": {"existingSecret": "trino-tls"}}) == ""
    assert charts.complaint("trino", {"tls": mine, "global": {"secrets": {"create": False}}}) == ""


def test_a_trino_without_login_gets_no_password(charts: Charts) -> None:
    """For a Trino of your own that believes names; a password for an address without https is refused."""
    values = {
        "global": {"trino": {"host": "trino.example", "port": 8080, "loginSecret": "", "caSecret": ""}},
        "trino": {"enabled": False},
    }
    objects = charts.render("gamelake", values=values)
    [api] = of(objects, "Deployment", "api")
    given = environment(objects, api["spec"]["template"]["spec"]["containers"][0])
    assert given["TRINO_URL"] == "http://trino.example:8080"
    assert "TRINO_PASSWORD" not in given
    refusal = charts.refusal("api", {"dashboard": {"trinoUrl": "http://trino.example:8080"}})
    assert "a password needs https" in refusal


@pytest.mark.parametrize("keys", ["", "https://id.example/jwks"])
def test_tokens_of_a_provider_are_accepted_too(charts: Charts, keys: str) -> None:
    """With the URL of its keys; without one a password is the only way."""
    jwt = {"keysUrl": keys, "issuer": "https://id.example"}
    objects = charts.render("trino", values={"login": {"jwt": jwt}})
    [coordinator] = of(objects, "Deployment", "trino")
    given = environment(objects, coordinator["spec"]["template"]["spec"]["containers"][0])
    assert given["TRINO_AUTHENTICATION"] == ("PASSWORD,JWT" if keys else "PASSWORD")
    [config] = of(objects, "ConfigMap", "trino")
    written = properties(config["data"]["coordinator.properties"])
    prefix = "http-server.authentication.jwt."
    assert {name.removeprefix(prefix): value for name, value in written.items() if name.startswith(prefix)} == (
        {
            "key-file": keys,
            "required-issuer": "https://id.example",
            "required-audience": "trino",
            "principal-field": "sub",
        }
        if keys
        else {}
    )
    # A property that is set twice has the last one's value, which nobody would expect.
    login = properties((ROOT / "images/trino/etc/login/config.properties").read_text())
    assert not written.keys() & login.keys()


def test_players_services_reach_trino_for_people_only_by_https(charts: Charts) -> None:
    """Only Trino's nodes may use the port at which names are believed."""
    [policy] = of(charts.render("trino"), "NetworkPolicy", "trino")
    peers = {
        port["port"]: [one["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for one in rule["from"]]
        for rule in policy["spec"]["ingress"]
        for port in rule["ports"]
    }
    assert peers == {8443: ["spark", "api", "world", "helm-test"], 8080: ["trino"]}


def test_the_audit_has_a_topic_that_trino_may_write(charts: Charts) -> None:
    """Trino may write this topic and no other; by default there is none."""
    objects = charts.render("gamelake", values={"global": {"kafka": {"auditTopic": "queries"}}})
    assert of(objects, "KafkaTopic", "queries")
    [coordinator] = of(objects, "Deployment", "trino")
    container = coordinator["spec"]["template"]["spec"]["containers"][0]
    assert environment(objects, container)["TRINO_AUDIT_TOPIC"] == "queries"
    [user] = of(objects, "KafkaUser", "trino")
    writable = [
        rule["resource"]["name"] for rule in user["spec"]["authorization"]["acls"] if "Write" in rule["operations"]
    ]
    assert writable == ["queries"]
    [usual] = of(charts.render("gamelake"), "KafkaUser", "trino")
    assert "Write" not in json.dumps(usual)
