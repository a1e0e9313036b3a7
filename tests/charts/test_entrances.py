"""How players reach the API from outside the cluster: only if it is configured."""

from tests.charts.rendering import Charts, of
from tests.charts.variants import VARIANTS


def test_nothing_is_exposed_by_default(charts: Charts) -> None:
    """By default there is no Ingress, no HTTPRoute, and no Service outside the cluster's network."""
    objects = charts.render("gamelake")
    assert of(objects, "Ingress") == of(objects, "HTTPRoute") == []
    assert {one["spec"].get("type", "ClusterIP") for one in of(objects, "Service")} == {"ClusterIP"}


def test_an_ingress_routes_to_the_api(charts: Charts) -> None:
    """Every path of each host name is routed to the API's Service, with the certificate for the names."""
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


def test_the_admin_port_has_no_entrance(charts: Charts) -> None:
    """What exposes the API exposes the Service of the players' port; the admin port has one of the cluster's own."""
    objects = charts.render("gamelake", values=VARIANTS["entrances"][1])
    [public] = of(objects, "Service", "api")
    [admin] = of(objects, "Service", "api-admin")
    assert [port["targetPort"] for port in public["spec"]["ports"]] == ["http"]
    assert [port["targetPort"] for port in admin["spec"]["ports"]] == ["admin"]
    assert admin["spec"].get("type", "ClusterIP") == "ClusterIP"
    for entrance in (*of(objects, "Ingress"), *of(objects, "HTTPRoute")):
        assert "api-admin" not in str(entrance["spec"])


def test_probes_and_prometheus_use_the_admin_port(charts: Charts) -> None:
    """The kubelet and Prometheus ask the API by the admin port, and Prometheus asks the world too."""
    objects = charts.render("api", values={"monitoring": {"enabled": True}})
    [deployment] = of(objects, "Deployment", "api")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert {container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "readiness", "liveness")} == {"admin"}
    for name, port in (("api", "admin"), ("world", "metrics")):
        [monitor] = of(objects, "PodMonitor", name)
        assert monitor["spec"]["podMetricsEndpoints"] == [{"port": port, "path": "/metrics"}]
        [watched] = of(objects, "Deployment", name)
        ports = watched["spec"]["template"]["spec"]["containers"][0]["ports"]
        assert port in {one["name"] for one in ports}
    [rules] = of(objects, "PrometheusRule")
    assert [group["name"] for group in rules["spec"]["groups"]] == ["api", "world"]
    [rules] = of(
        charts.render("api", values={"monitoring": {"enabled": True}, "world": {"enabled": False}}), "PrometheusRule"
    )
    assert [group["name"] for group in rules["spec"]["groups"]] == ["api"]


def test_an_ingress_without_names_matches_all(charts: Charts) -> None:
    """Without host names the one rule has none."""
    [ingress] = of(charts.render("api", values={"ingress": {"enabled": True}}), "Ingress")
    [rule] = ingress["spec"].pop("rules")
    assert rule.keys() == {"http"}
    assert ingress["spec"] == {}


def test_a_proxy_does_not_retry(charts: Charts) -> None:
    """An Ingress tells nginx not to retry on the next pod, unless the user's annotations override it."""
    name = "nginx.ingress.kubernetes.io/proxy-next-upstream"
    for annotations, expected in (({}, "off"), ({"some/name": "value"}, "off"), ({name: "error"}, "error")):
        given = {"ingress": {"enabled": True, "annotations": annotations}}
        [ingress] = of(charts.render("api", values=given), "Ingress")
        assert ingress["metadata"]["annotations"] == {name: expected} | {**annotations}
    [route] = of(charts.render("gamelake", values=VARIANTS["entrances"][1]), "HTTPRoute")
    assert not any("retry" in rule for rule in route["spec"]["rules"])


def test_a_load_balancers_health_check_can_be_set(charts: Charts) -> None:
    """The Service has the annotations of the values, and none by default."""
    path = {"service.beta.kubernetes.io/aws-load-balancer-healthcheck-path": "/healthz"}
    given = {"service": {"type": "LoadBalancer", "annotations": path}}
    [service] = of(charts.render("api", values=given), "Service", "api")
    assert service["metadata"]["annotations"] == path
    [service] = of(charts.render("api"), "Service", "api")
    assert "annotations" not in service["metadata"]


def test_a_route_leads_to_the_api(charts: Charts) -> None:
    """All requests that a Gateway has for the host names are routed to the API's Service."""
    objects = charts.render("gamelake", values=VARIANTS["entrances"][1])
    [route], [service] = of(objects, "HTTPRoute"), of(objects, "Service", "api")
    assert route["spec"] == {
        "parentRefs": [{"name": "gateway"}],
        "hostnames": ["game.example"],
        "rules": [{"backendRefs": [{"name": "api", "port": service["spec"]["ports"][0]["port"]}]}],
    }


def test_a_load_balancer_can_be_chosen_and_narrowed(charts: Charts) -> None:
    """Class and clients' networks are the load balancer's; a Service of the cluster has neither."""
    given = {"class": "service.k8s.aws/nlb", "sourceRanges": ["192.0.2.0/24", "2001:db8::/32"]}
    [service] = of(charts.render("api", values={"service": {"type": "LoadBalancer", **given}}), "Service", "api")
    assert service["spec"]["loadBalancerClass"] == "service.k8s.aws/nlb"
    assert service["spec"]["loadBalancerSourceRanges"] == given["sourceRanges"]
    [service] = of(charts.render("api", values={"service": given}), "Service", "api")
    assert not service["spec"].keys() & {"loadBalancerClass", "loadBalancerSourceRanges"}


def test_players_may_come_by_ipv6(charts: Charts) -> None:
    """A Service with a policy of IP families has pods that listen on both; without one they listen on IPv4."""
    for policy, address in (("", "0.0.0.0"), ("PreferDualStack", "[::]")):  # noqa: S104 inside a pod
        objects = charts.render("api", values={"service": {"ipFamilyPolicy": policy}})
        [service] = of(objects, "Service", "api")
        assert service["spec"].get("ipFamilyPolicy", "") == policy
        [config] = of(objects, "ConfigMap", "api")
        assert (config["data"]["API_BIND"], config["data"]["API_ADMIN_BIND"]) == (f"{address}:5000", f"{address}:5010")


def test_a_pod_serves_until_load_balancers_have_noticed(charts: Charts) -> None:
    """The wait before a pod stops can be made longer, and the time that it has to stop grows with it."""
    waits = {}
    for seconds in (5, 45):
        [deployment] = of(charts.render("api", values={"service": {"drainSeconds": seconds}}), "Deployment", "api")
        spec = deployment["spec"]["template"]["spec"]
        assert spec["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": seconds}}
        waits[seconds] = spec["terminationGracePeriodSeconds"]
    assert waits[45] - waits[5] == 40
