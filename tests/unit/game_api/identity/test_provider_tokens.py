"""Tokens of an identity provider: which are accepted, and why others are not."""

import base64
import hmac
import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from game_api.identity.errors import UnauthorizedError
from game_api.identity.jwks import ALGORITHMS, KeySetFile
from game_api.identity.provider_tokens import LEEWAY_SECONDS, ProviderTokens

from tests.unit.game_api.identity.provider import AUDIENCE, ISSUER, Key, key_set, write

RSA = Key("rsa", "RS256")
KEYS = {"EdDSA": Key("ed"), "ES256": Key("ec", "ES256"), "RS256": RSA}


@pytest.fixture
def tokens(tmp_path: Path) -> ProviderTokens:
    return accepting(tmp_path, *KEYS.values())


def accepting(folder: Path, *keys: Key) -> ProviderTokens:
    return ProviderTokens(KeySetFile(write(folder / "jwks.json", key_set(*keys))), ISSUER, AUDIENCE)


def problem(tokens: ProviderTokens, token: str) -> str:
    with pytest.raises(UnauthorizedError) as caught:
        tokens.verify(token)
    assert caught.value.field == "Authorization"
    assert token not in str(caught.value)
    return caught.value.problem


def unsigned(header: dict[str, str], **claims: object) -> str:
    usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": int(time.time()) + 600}
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, {**usual, **claims}))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_signed_token_names_the_player(tokens: ProviderTokens, algorithm: str) -> None:
    """The player is `sub` in its normal form, for each of the three algorithms."""
    assert tokens.verify(KEYS[algorithm].token()).player == "ada"
    assert tokens.verify(KEYS[algorithm].token(sub="Ada", aud=["other", AUDIENCE])).player == "ada"


def test_a_forged_token_is_refused(tokens: ProviderTokens) -> None:
    """Another key under a known id, and a changed payload, have a wrong signature."""
    assert problem(tokens, Key("ed").token()) == "the token's signature is wrong"
    header, _, signature = KEYS["EdDSA"].token().split(".")
    _, payload, _ = KEYS["EdDSA"].token(sub="bob").split(".")
    assert problem(tokens, f"{header}.{payload}.{signature}") == "the token's signature is wrong"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": int(time.time()) - LEEWAY_SECONDS - 1}, "the token has expired"),
        ({"nbf": int(time.time()) + 3600}, "the token is not valid yet"),
        ({"iat": int(time.time()) + 3600}, "the token is not valid yet"),
        ({"aud": "shop"}, "the token is for another audience"),
        ({"iss": "https://evil.example"}, "the token is of another issuer"),
        *(({name: None}, "the token lacks one of exp, sub, iss, aud") for name in ("exp", "sub", "iss", "aud")),
        ({"sub": "a\u200bb"}, "the token's sub is no player: expected visible characters, got U+200B"),
        ({"sub": "a,b"}, "the token's sub is no player: expected a name without a comma"),
        ({"sub": ""}, "the token's sub is no player: expected a name, got only invisible characters"),
        ({"sub": 7}, "the token is malformed"),
        ({"exp": "soon"}, "the token is malformed"),
    ],
)
def test_a_token_with_other_claims_is_refused(tokens: ProviderTokens, claims: dict[str, object], expected: str) -> None:
    """Time, audience, issuer and subject are checked, and all of them are required."""
    assert problem(tokens, KEYS["ES256"].token(**claims)) == expected


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "RS1", "PS256", "ES384"])
def test_another_algorithm_is_refused(tokens: ProviderTokens, algorithm: str) -> None:
    """A token without a signature, or one by an algorithm that is not expected, is refused whatever it contains."""
    for signature in ("", encoded(b"signature")):
        assert "expected a token signed with one of ES256, EdDSA, RS256" in problem(
            tokens, f"{unsigned({'alg': algorithm, 'kid': 'rsa'})}.{signature}"
        )


def test_the_public_key_is_no_secret(tokens: ProviderTokens) -> None:
    """A token that is signed by HMAC with the public key as its secret is refused."""
    public = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (public, public.strip(), json.dumps(RSA.entry).encode()):
        signed = unsigned({"alg": "HS256", "typ": "JWT", "kid": "rsa"})
        signature = encoded(hmac.digest(secret, signed.encode(), "sha256"))
        assert "expected a token signed with" in problem(tokens, f"{signed}.{signature}")


def test_the_key_decides_the_algorithm(tokens: ProviderTokens) -> None:
    """A token that names a key of another algorithm is refused."""
    assert problem(tokens, KEYS["ES256"].token({"kid": "rsa"})) == "the token's algorithm is not the key's"


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "gp1.x.y", f"{unsigned({'alg': 'EdDSA', 'kid': 'ed'})}"])
def test_a_malformed_token_is_refused(tokens: ProviderTokens, token: str) -> None:
    """Text that is no token is a refusal, not an error."""
    assert problem(tokens, token) == "the token is malformed"


def test_a_critical_extension_is_refused(tokens: ProviderTokens) -> None:
    """A token that requires an extension, which nobody here knows, is refused."""
    token = KEYS["EdDSA"].token({"crit": ["exp2"], "exp2": 1})
    assert problem(tokens, token) == "the token is malformed"


def test_an_unknown_key_is_known_once_the_file_has_it(tmp_path: Path) -> None:
    """A token of a new key is accepted as soon as the key set has the key, and one of a removed key no longer."""
    old, new = Key("old"), Key("new")
    tokens = accepting(tmp_path, old)
    assert tokens.verify(old.token()).player == "ada"
    assert problem(tokens, new.token()) == "the token's key is unknown"
    write(tmp_path / "jwks.json", key_set(old, new))
    assert tokens.verify(new.token()).player == "ada"
    assert tokens.verify(old.token()).player == "ada"
    before = tokens.keys.version
    write(tmp_path / "jwks.json", key_set(new))
    assert problem(tokens, Key("other").token()) == "the token's key is unknown"
    assert problem(tokens, old.token()) == "the token's key is unknown"
    assert tokens.keys.version > before


def test_a_token_without_a_key_id_needs_a_single_key(tmp_path: Path) -> None:
    """Without `kid` the only key is meant; of several keys none is."""
    nameless = Key("")
    assert accepting(tmp_path, nameless).verify(nameless.token()).player == "ada"
    nameless.entry["kid"] = "one"
    assert accepting(tmp_path, nameless).verify(nameless.token()).player == "ada"
    assert problem(accepting(tmp_path, nameless, RSA), nameless.token()) == "the token's key is unknown"
