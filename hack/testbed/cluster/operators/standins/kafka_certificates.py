"""The certificates of a Kafka cluster: its own authority's, and one that all brokers have."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from testbed.cluster.operators.standins import cluster
from testbed.cluster.operators.standins.cluster import SECRETS, Object
from testbed.cluster.operators.standins.kafka_spec import Spec

_VALID = timedelta(days=365)
_EARLY = timedelta(minutes=5)
"""Clocks of clients may be slow."""


def ensure(spec: Spec, owner: Object) -> str:
    """Create the Secrets that are missing, and those for other names; return the digest of the brokers' certificate."""
    if not spec.has_tls:
        return ""
    known = ",".join(names(spec))
    authority_secret = f"{spec.cluster}-cluster-ca-cert"
    secret, authority = (cluster.get(SECRETS, spec.namespace, one) for one in (spec.brokers, authority_secret))
    if secret and authority and secret["metadata"].get("annotations", {}).get("names") == known:
        return hashlib.sha256(base64.b64decode(secret["data"]["tls.pem"])).hexdigest()
    certificate, pem = issue(spec)
    for name, file, text in ((authority_secret, "ca.crt", certificate), (spec.brokers, "tls.pem", pem)):
        metadata = {"name": name, "labels": spec.labels, "annotations": {"names": known}} | owner
        data = {file: base64.b64encode(text.encode()).decode()}
        cluster.apply(SECRETS, spec.namespace, {"metadata": metadata, "data": data})
    return hashlib.sha256(pem.encode()).hexdigest()


def names(spec: Spec) -> list[str]:
    """Return the names under which clients may connect to the brokers, as Strimzi's certificates have them."""
    bootstrap = [f"{spec.bootstrap}{end}" for end in ("", f".{spec.namespace}", f".{spec.namespace}.svc")]
    domain = f"{spec.namespace}.svc.cluster.local"
    return [
        *bootstrap,
        f"{spec.bootstrap}.{domain}",
        f"*.{spec.brokers}.{spec.namespace}.svc",
        f"*.{spec.brokers}.{domain}",
    ]


def issue(spec: Spec) -> tuple[str, str]:
    """Return an authority's certificate, and the brokers' key and certificates, as PEM."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = _name("cluster-ca")
    authority = (
        _certificate(authority_name, authority_name, authority_key, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    broker = (
        _certificate(_name(f"{spec.cluster}-kafka"), authority_name, key, authority_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names(spec)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _pem(authority), private.decode() + _pem(broker) + _pem(authority)


def _name(common: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "io.strimzi", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
