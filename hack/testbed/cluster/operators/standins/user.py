"""Users, as Strimzi's user operator creates them: a password in a Secret, and exactly the listed rights."""

import base64
import re
import secrets
import string
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.admin import NoBroker, client, entity_operator, login, problem
from testbed.cluster.operators.standins.cluster import SECRETS, USERS, Object
from testbed.cluster.operators.standins.conditions import READY, not_ready, status
from testbed.cluster.operators.standins.fields import Refused, refuse_all_but
from testbed.cluster.operators.standins.node_pool import CLUSTER
from testbed.cluster.operators.standins.quotas import FIELDS, QuotasError, set_quotas

_PAUSE = 20.0
_FAILED_PAUSE = 3.0
_SUPPORTED = [
    *("authentication.type", "authorization.type", "authorization.acls"),
    *(f"quotas.{field}" for field in FIELDS),
]
_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "cluster": ResourceType.BROKER,
    "transactionalId": ResourceType.TRANSACTIONAL_ID,
}
_PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefix": ResourcePatternType.PREFIXED}

_set: dict[str, str] = {}
"""The last password set for each user, by the resource's uid: Kafka does not reveal passwords."""


def reconcile(user: Object) -> float:
    metadata = user["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    kafka = metadata.get("labels", {}).get(CLUSTER, "")
    if "deletionTimestamp" in metadata or entity_operator(namespace, kafka, "userOperator") is None:
        return _FAILED_PAUSE
    try:
        _check(user["spec"])
        wanted = bindings(name, user["spec"].get("authorization", {}).get("acls", []))
        password = _password(user)
        admin = client(namespace, kafka)
        set_password(admin, user, password)
        set_rights(admin, name, wanted)
        set_quotas(login(namespace, kafka), name, user["spec"].get("quotas") or {})
    except (Refused, KafkaException, NoBroker, QuotasError, OSError) as error:
        reason = "InvalidResourceException" if isinstance(error, Refused) else type(error).__name__
        cluster.set_status(USERS, user, status(user, not_ready(reason, problem(error)), username=name))
        return _FAILED_PAUSE
    cluster.set_status(USERS, user, status(user, READY, username=name, secret=name))
    return _PAUSE


def forget(user: Object) -> None:
    """Remove the password and rights of a user who is gone, unless the cluster is gone, too."""
    metadata = user["metadata"]
    kafka = metadata.get("labels", {}).get(CLUSTER, "")
    if entity_operator(metadata["namespace"], kafka, "userOperator") is None:
        return
    admin, name = client(metadata["namespace"], kafka), metadata["name"]
    set_rights(admin, name, set())
    set_quotas(login(metadata["namespace"], kafka), name, {})
    if _has_password(admin, name):
        deletion = UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512)
        admin.alter_user_scram_credentials([deletion])[name].result()
    _set.pop(metadata["uid"], None)


def bindings(user: str, acls: list[Object]) -> set[AclBinding]:
    """Return the rights in Kafka's form, one binding for each operation."""
    return {
        AclBinding(
            _RESOURCES[acl["resource"]["type"]],
            acl["resource"].get("name", "kafka-cluster"),
            _PATTERNS[acl["resource"].get("patternType", "literal")],
            f"User:{user}",
            acl.get("host", "*"),
            # DescribeConfigs becomes DESCRIBE_CONFIGS.
            AclOperation[re.sub(r"(?<!^)(?=[A-Z])", "_", operation).upper()],
            AclPermissionType[acl.get("type", "allow").upper()],
        )
        for acl in acls
        for operation in acl["operations"]
    }


def secret_labels(user: Object) -> dict[str, str]:
    """Return the labels of the user's Secret: the user's, none of app.kubernetes.io, and Strimzi's own."""
    metadata = user["metadata"]
    return {
        **{key: value for key, value in metadata["labels"].items() if not key.startswith("app.kubernetes.io/")},
        "app.kubernetes.io/part-of": f"strimzi-{metadata['name']}",
        "app.kubernetes.io/name": "strimzi-user-operator",
        "app.kubernetes.io/instance": metadata["name"],
        "app.kubernetes.io/managed-by": "strimzi-user-operator",
        "strimzi.io/kind": "KafkaUser",
    }


def _check(spec: Object) -> None:
    refuse_all_but(_SUPPORTED, spec)
    if spec.get("authentication") != {"type": "scram-sha-512"}:
        raise Refused("the stand-in supports authentication of type scram-sha-512 only")
    if spec.get("authorization", {}).get("type", "simple") != "simple":
        raise Refused("the stand-in supports authorization of type simple only")


def _password(user: Object) -> str:
    metadata = user["metadata"]
    secret = cluster.get(SECRETS, metadata["namespace"], metadata["name"]) or {}
    kept = secret.get("data", {}).get("password", "")
    password = base64.b64decode(kept).decode() or _draw()
    labels = secret_labels(user)
    login = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{metadata["name"]}"'
    wanted = {"password": password, "sasl.jaas.config": f'{login} password="{password}";'}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in wanted.items()}
    # The Secret comes before the password in Kafka, so that every user who can log in has a Secret.
    if secret.get("data") != data or secret["metadata"].get("labels") != labels:
        owner = {"ownerReferences": [cluster.owner(USERS, user)]}
        new = {"name": metadata["name"], "labels": labels} | owner
        cluster.apply(SECRETS, metadata["namespace"], {"metadata": new, "type": "Opaque", "data": data})
    return password


def _draw() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(32))


def set_password(admin: AdminClient, user: Object, password: str) -> None:
    """Let the user of a resource log in with this password."""
    name, uid = user["metadata"]["name"], user["metadata"]["uid"]
    if _set.get(uid) == password and _has_password(admin, name):
        return
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    upsertion = UserScramCredentialUpsertion(name, info, password.encode())
    admin.alter_user_scram_credentials([upsertion])[name].result()
    _set[uid] = password


def _has_password(admin: AdminClient, name: str) -> bool:
    everybody: Any = admin.describe_user_scram_credentials()
    return name in everybody.result()


def set_rights(admin: AdminClient, name: str, wanted: set[AclBinding]) -> None:
    """Give a user these rights and no others."""
    anything: Any = None
    everywhere = (ResourceType.ANY, anything, ResourcePatternType.ANY)
    of_user = AclBindingFilter(*everywhere, f"User:{name}", anything, AclOperation.ANY, AclPermissionType.ANY)
    current = set(admin.describe_acls(of_user).result())
    for created in admin.create_acls(list(wanted - current)).values() if wanted - current else ():
        created.result()
    stale = [_only(one) for one in current - wanted]
    for deleted in admin.delete_acls(stale).values() if stale else ():
        deleted.result()


def _only(one: AclBinding) -> AclBindingFilter:
    resource = (one.restype, one.name, one.resource_pattern_type)
    return AclBindingFilter(*resource, one.principal, one.host, one.operation, one.permission_type)
