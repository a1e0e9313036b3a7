"""Installations to test: each values file, and each option with a value that is not its default."""

from typing import Any

from tests.charts.rendering import CHARTS

OPTIONS: dict[str, Any] = {
    "monitoring": {
        "dashboard": {"enabled": True},
        **{chart: {"monitoring": {"enabled": True}} for chart in CHARTS[:-1]},
    },
    "watched failover": {
        "global": {"hdfs": {"namenodes": 2}},
        "hdfs": {"monitoring": {"enabled": True}},
    },
    "scaled": {"api": {"autoscaling": {"enabled": True}}, "trino": {"worker": {"replicas": 2}}},
    "open": {
        "networkPolicy": {"defaultDeny": False},
        **{
            chart: {"networkPolicy": {"enabled": False}}
            for chart in ("kafka", "hdfs", "hive-metastore", "trino", "api", "spark")
        },
    },
    "peers": {
        "kafka": {"networkPolicy": {"extraPeers": [{"podSelector": {}}]}},
        "api": {"networkPolicy": {"from": [{"podSelector": {}}]}},
        **{
            chart: {"networkPolicy": {"extraIngress": [{"from": [{"namespaceSelector": {}}]}]}}
            for chart in ("hdfs", "hive-metastore", "trino", "spark")
        },
    },
    "entrances": {
        "api": {
            "service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
            "trustedProxies": 1,
            "ingress": {
                "enabled": True,
                "className": "nginx",
                "annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"},
                "hosts": ["game.example", "*.players.example"],
                "tlsSecret": "certificate",
            },
            "httpRoute": {"parentRefs": [{"name": "gateway"}], "hostnames": ["game.example"]},
        },
    },
    "claimed": {
        "api": {
            "players": {"mode": "claimed", "suppressedSecret": "gone"},
            "ingestion": {"existingSecret": "ingestion"},
        }
    },
    "provided": {
        "api": {
            "players": {
                "mode": "token",
                "jwksUrl": "https://id.example/jwks",
                "issuer": "https://id.example",
                "audience": "game",
            },
        },
    },
    "worldless": {"api": {"world": {"enabled": False}, "dashboard": {"trinoUrl": ""}}},
    "without the table": {"api": {"world": {"trinoUrl": ""}}},
    "elsewhere": {
        "global": {
            "imageRegistry": "registry.example/team/",
            "imagePullSecrets": [{"name": "registry"}],
            "kafka": {
                "bootstrapServers": "one.example:9093,two.example:9093",
                "securityProtocol": "SASL_SSL",
                "caSecret": "kafka-ca",
            },
            "trino": {"host": "trino.example", "port": 8443},
        },
        "kafka": {"enabled": False},
        "trino": {"enabled": False},
        "hive-metastore": {
            "database": {"url": "jdbc:postgresql://db.example:5432/metastore", "existingSecret": "database"},
            "networkPolicy": {"extraEgress": [{"ports": [{"port": 5432}]}]},
        },
        "api": {
            "kafka": {"existingSecret": "kafka"},
            "world": {"username": "reader", "existingSecret": "kafka-reader"},
            "store": {"enabled": False, "existingSecret": "redis"},
            "networkPolicy": {"extraEgress": [{"ports": [{"port": 9093}]}]},
        },
    },
    "placed": {
        "global": {
            "networkPolicy": {"apiServerCidrs": ["10.96.0.1/32"]},
            "monitoring": {"labels": {"release": "prometheus"}, "from": [{"namespaceSelector": {}}]},
            "pod": {
                "labels": {"team": "lake"},
                "annotations": {"sidecar.example/inject": "false"},
                "nodeSelector": {"disk": "fast"},
                "tolerations": [{"key": "games", "operator": "Exists"}],
                "topologySpreadConstraints": [
                    {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
                ],
                "priorityClassName": "games",
                "terminationGracePeriodSeconds": 120,
                "env": [{"name": "HTTPS_PROXY", "value": "http://proxy.example"}],
                "volumes": [{"name": "trust", "configMap": {"name": "trust"}}],
                "volumeMounts": [{"name": "trust", "mountPath": "/mnt/trust"}],
            },
        },
        "kafka": {"storage": {"annotations": {"backup.example/policy": "daily"}}},
        "spark": {"jobs": {"names": ["stream", "maintain", "batch", "tables"]}},
    },
    "backups": {"backup": {"enabled": True, "existingClaim": "elsewhere", "schedule": "@hourly", "keep": 24}},
    "jobs": {"spark": {"jobs": {"names": ["stream", "maintain", "batch", "tables"]}}},
    "plain": {"global": {"kafka": {"securityProtocol": "PLAINTEXT"}}},
    "limited": {"kafka": {"users": {"trinoQuotas": {"consumerByteRate": 1000, "requestPercentage": 50}}}},
    "storage": {
        **{chart: {"storage": {"class": "fast"}} for chart in ("kafka",)},
        "global": {"hdfs": {"namenodes": 2}},
        "hdfs": {
            server: {"storage": {"class": "fast"}} for server in ("namenode", "journalnode", "zookeeper", "datanode")
        },
        "hive-metastore": {"postgresql": {"storage": {"class": "fast"}}},
        "backup": {"enabled": True, "storage": {"class": "fast"}},
        "api": {"store": {"storage": {"class": "fast"}}, "world": {"snapshots": {"storage": {"class": "fast"}}}},
    },
    "catalogs": {
        "trino": {"catalogs": {"samples": "connector.name=tpch\n"}, "config": {"query.max-memory": "1GB"}},
        "hdfs": {"config": {"dfs.heartbeat.interval": 3}},
    },
    "trusted": {
        "global": {
            "kafka": {"auditTopic": "queries"},
            "trino": {"loginSecret": "my-login", "caSecret": ""},
            "secrets": {"create": False},
        },
        "trino": {
            "login": {
                "rules": "{}",
                "jwt": {"keysUrl": "https://id.example/jwks", "issuer": "https://id.example", "audience": "trino"},
            },
            "tls": {"existingSecret": "trino-certificate"},
            "resourceGroups": "{}",
            "catalogSecrets": ["warehouse"],
        },
    },
    "encrypted": {
        "api": {"store": {"tlsSecret": "store-certificate"}, "monitoring": {"enabled": True}},
        "hdfs": {"config": {"dfs.encrypt.data.transfer": True}},
        "hive-metastore": {"postgresql": {"tlsSecret": "postgresql-certificate"}},
        "backup": {"enabled": True},
    },
    "fleeting": {"kafka": {"keepOnUninstall": False, "image": "kafka:1", "config": {"log.segment.bytes": 1000000}}},
}

VARIANTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "default": ((), {}),
    "kind": (("values-kind.yaml",), {}),
    "ha": (("values-ha.yaml",), {}),
    "kind ha": (("values-ha.yaml", "values-kind.yaml", "values-kind-ha.yaml"), {}),
    **{name: ((), values) for name, values in OPTIONS.items()},
}
