"""How players come in from outside: not at all, unless it is asked for."""

from tests.charts.rendering import Charts, of
from tests.charts.variants import VARIANTS


def test_nobody_comes_in_by_default(charts: Charts) -> None:
    """Without being asked for, there is no Ingress, no HTTPRoute, and no Service beyond the cluster's own network."""
    objects = charts.render("gamelake")
    assert of(objects, "Ingress") == of(objects, "HTTPRoute") == []
    assert {one["spec"].get("type", "ClusterIP") for one in of(objects, "Service")} == {"ClusterIP"}


def test_an_ingress_leads_to_the_api(charts: Charts) -> None:
    """Every path under each of the names, with the certificate for them, leads to the API's Service."""
    objects = charts.render("gamelake", values=VARIANTS["entrances"][1])
    [service] = of(objects, "Service", "api")
    [ingress] = of(objects, "Ingress")
    [port] = service["spec"]["ports"]
    backend = {"service": {"name": "api", "port": {"name": port["name"]}}}
    http = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
    hosts = ["game.example", "*.players.example"]
    assert ingress["spec"] == {
        "ingressClassName": "nginx",
        "tls": [{"secretName": "certificate", "hosts": hosts}],
        "rules": [{"host": host, "http": http} for host in hosts],
    }
    assert "nginx.ingress.kubernetes.io/proxy-body-size" in ingress["metadata"]["annotations"]
    assert service["spec"]["externalTrafficPolicy"] == "Local"


def test_an_ingress_without_names_takes_all(charts: Charts) -> None:
    """Where no name is given, the one rule has none."""
    [ingress] = of(charts.render("api", values={"ingress": {"enabled": True}}), "Ingress")
    [rule] = ingress["spec"].pop("rules")
    assert rule.keys() == {"http"}
    assert ingress["spec"] == {}


def test_a_proxy_sends_no_request_again(charts: Charts) -> None:
    """An Ingress tells nginx not to try the next pod, beside annotations of the user's, unless these say otherwise."""
    name = "nginx.ingress.kubernetes.io/proxy-next-upstream"
    for annotations, told in (({}, "off"), ({"some/name": "value"}, "off"), ({name: "error"}, "error")):
        given = {"ingress": {"enabled": True, "annotations": annotations}}
        [ingress] = of(charts.render("api", values=given), "Ingress")
        assert ingress["metadata"]["annotations"] == {name: told} | {**annotations}
    [route] = of(charts.render("gamelake", values=VARIANTS["entrances"][1]), "HTTPRoute")
    assert not any("retry" in rule for rule in route["spec"]["rules"])


def test_a_load_balancer_can_be_told_where_to_ask(charts: Charts) -> None:
    """Annotations of the values are the Service's; there are none by default."""
    path = {"service.beta.kubernetes.io/aws-load-balancer-healthcheck-path": "/healthz"}
    given = {"service": {"type": "LoadBalancer", "annotations": path}}
    [service] = of(charts.render("api", values=given), "Service", "api")
    assert service["metadata"]["annotations"] == path
    [service] = of(charts.render("api"), "Service", "api")
    assert "annotations" not in service["metadata"]


def test_a_route_leads_to_the_api(charts: Charts) -> None:
    """All that a Gateway has for the names leads to the API's Service."""
    objects = charts.render("gamelake", values=VARIANTS["entrances"][1])
    [route], [service] = of(objects, "HTTPRoute"), of(objects, "Service", "api")
    assert route["spec"] == {
        "parentRefs": [{"name": "gateway"}],
        "hostnames": ["game.example"],
        "rules": [{"backendRefs": [{"name": "api", "port": service["spec"]["ports"][0]["port"]}]}],
    }
