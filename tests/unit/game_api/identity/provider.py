"""An identity provider for tests: keys, key sets and tokens."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from game_api.identity.player_tokens import SETTLING_SECONDS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://id.example"
AUDIENCE = "game"


class Key:
    """A private key, and its entry in a key set."""

    def __init__(self, kid: str, algorithm: str = "EdDSA", bits: int = 2048) -> None:
        self.kid = kid
        self.algorithm = algorithm
        self.private: Any
        match algorithm:
            case "EdDSA":
                self.private = Ed25519PrivateKey.generate()
                entry = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
            case "ES256":
                self.private = generate_private_key(SECP256R1())
                entry = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
            case _:
                self.private = generate_rsa(65537, bits)
                entry = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.entry: dict[str, Any] = {**entry, "kid": kid, "use": "sig", "alg": algorithm}

    def token(self, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:  # noqa: ANN401 JSON
        """Sign a valid token for ada, except for these claims; None leaves a claim out."""
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 600}
        payload = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(
            payload, self.private, self.algorithm, {**({"kid": self.kid} if self.kid else {}), **(headers or {})}
        )


def key_set(*keys: Key) -> str:
    return json.dumps({"keys": [key.entry for key in keys]})


def write(path: Path, text: str) -> str:
    """Replace a file as Kubernetes does: by another one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)
    return str(path)


def settled(path: str) -> None:
    """Make a file of secrets as old as one that every process has read."""
    at = time.time() - SETTLING_SECONDS
    os.utime(path, (at, at))
