"""Passwords and a certificate for a new Trino."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ITERATIONS = 10_000
"""Of random passwords, which nobody can guess whatever a guess costs; Trino demands 1,000."""
_VALID = timedelta(days=3650)
"""Nobody renews it."""
_EARLY = timedelta(minutes=5)
"""Clocks of clients may be slow."""


def passwords(users: Iterable[str]) -> dict[str, str]:
    """Return what a login consists of, by the names of its Secret's keys.

    A password for each user, the `password.db` by which Trino knows them, and the `shared-secret` of its nodes.
    """
    made = {user: secrets.token_urlsafe(32) for user in users}
    lines = "".join(f"{password_line(user, password)}\n" for user, password in made.items())
    return {**made, "password.db": lines, "shared-secret": secrets.token_urlsafe(64)}


def password_line(user: str, password: str) -> str:
    """Return a user's line of `password.db`."""
    salt = secrets.token_bytes(16)
    # Trino 476 knows PBKDF2 with this digest only.
    digest = hashlib.pbkdf2_hmac("sha1", password.encode(), salt, _ITERATIONS)
    return f"{user}:{_ITERATIONS}:{salt.hex()}:{digest.hex()}"


@dataclass(frozen=True)
class Certificate:
    """PEM: the authority that clients trust, and the chain and the key of the server. The authority's key is lost."""

    authority: str
    chain: str
    key: str

    def secret(self) -> dict[str, str]:
        """Return it by the keys of a Secret of type `kubernetes.io/tls`, as cert-manager's."""
        return {"ca.crt": self.authority, "tls.crt": self.chain, "tls.key": self.key}


def certificate(names: Iterable[str]) -> Certificate:
    """Return a certificate for a server with these host names and IP addresses."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name, subject = _name("gamelake trino authority"), _name("gamelake trino")
    authority = (
        _builder(authority_name, authority_name, authority_key, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    server = (
        _builder(subject, authority_name, key, authority_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(_pem(authority), _pem(server) + _pem(authority), private.decode())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(one: x509.Certificate) -> str:
    return one.public_bytes(serialization.Encoding.PEM).decode()
