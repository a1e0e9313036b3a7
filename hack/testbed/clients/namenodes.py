"""The NameNodes of the stack: what each says about itself, and which of two is the active one."""

import json
import urllib.request
from typing import Any

from testbed.settings import HOST, Settings


def bean(port: int, name: str, service: str = "NameNode") -> dict[str, Any] | None:
    """Return a JMX bean of the server with this HTTP port; None while it does not answer or lacks the bean."""
    url = f"http://{HOST}:{port}/jmx?qry=Hadoop:service={service},name={name}"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            beans = json.load(answer)["beans"]
    except (OSError, ValueError, KeyError):
        return None
    return dict(beans[0]) if beans else None


def active(settings: Settings) -> int | None:
    """Return the number of the active NameNode, from 0; None while there is none."""
    for number, port in enumerate(settings.namenode_http_ports):
        if (bean(port, "NameNodeStatus") or {}).get("State") == "active":
            return number
    return None
