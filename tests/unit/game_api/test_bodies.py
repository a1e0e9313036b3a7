"""Compressed bodies are read like plain ones, with the same size limit."""

import gzip
import json
import random

import pytest
import zstandard
from werkzeug.test import Client, TestResponse

from tests.unit.game_api.memory_log import MemoryLog, client_of

LIMIT = 1024 * 1024
ITEMS = json.dumps([{"event_type": "purchase_sword", "strength": number % 10} for number in range(200)]).encode()
PACK = {"gzip": gzip.compress, "x-gzip": gzip.compress, "zstd": zstandard.compress}
SKIPPABLE = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"


def post(log: MemoryLog, encoding: str, data: bytes, client: Client | None = None) -> TestResponse:
    headers = {"Content-Encoding": encoding, "Accept": "application/json"}
    return (client or client_of(log)).post("/events", data=data, content_type="application/json", headers=headers)


def streamed(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "zstd", "GZIP"])
def test_a_compressed_body_is_read(encoding: str):
    """A compressed body is equivalent to a plain one."""
    log = MemoryLog()
    assert post(log, encoding, PACK[encoding.lower()](ITEMS)).status_code == 200
    assert len(log.records) == 200


def test_an_action_reads_a_compressed_body():
    """Parameters may be compressed as well."""
    log = MemoryLog()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-www-form-urlencoded"}
    assert client_of(log).post("/join_a_guild", data=gzip.compress(b"guild=x"), headers=headers).status_code == 200
    assert log.events[0]["guild"] == "x"


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(ITEMS[:50]) + gzip.compress(b"") + gzip.compress(ITEMS[50:])),
        ("zstd", zstandard.compress(ITEMS[:50]) + SKIPPABLE + streamed(ITEMS[50:])),
        ("zstd", streamed(ITEMS)),
        ("zstd", zstandard.compress(b"[" + b" " * 500_000 + ITEMS[1:])),
        ("zstd", zstandard.compress(b" " * (LIMIT - len(ITEMS)) + ITEMS)),
        ("gzip", gzip.compress(b" " * (LIMIT - len(ITEMS)) + ITEMS)),
    ],
    ids=["gzip members", "zstd frames", "unknown size", "repeated bytes", "zstd at the limit", "gzip at the limit"],
)
def test_every_part_of_a_compressed_body_is_read(encoding: str, data: bytes):
    """Several members or frames form one body, which may be as long as a plain one."""
    log = MemoryLog()
    assert post(log, encoding, data).status_code == 200
    assert len(log.records) == 200


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [LIMIT + 1, 300 * LIMIT])
def test_a_body_that_decompresses_to_too_much_is_a_413(encoding: str, size: int):
    """A small body that decompresses to a large one is refused."""
    log = MemoryLog()
    assert post(log, encoding, PACK[encoding](b" " * size)).status_code == 413
    assert not log.records


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", ITEMS),
        ("gzip", gzip.compress(ITEMS)[:-1]),
        ("gzip", gzip.compress(ITEMS)[:30]),
        ("gzip", gzip.compress(ITEMS) + b"x"),
        ("gzip", gzip.compress(ITEMS)[:-8] + b"\0" * 8),
        ("gzip", gzip.compress(b"") * 2000 + gzip.compress(ITEMS)),
        ("zstd", ITEMS),
        ("zstd", streamed(ITEMS)[:-1]),
        ("zstd", zstandard.compress(ITEMS)[:-1]),
        ("zstd", zstandard.compress(ITEMS)[:5]),
        ("zstd", zstandard.compress(ITEMS) + b"x"),
        ("zstd", zstandard.compress(ITEMS) + SKIPPABLE[:-1]),
        ("zstd", zstandard.compress(ITEMS) + zstandard.compress(b"x")[:-1]),
        ("zstd", SKIPPABLE * 2000 + zstandard.compress(ITEMS)),
    ],
)
def test_an_invalid_compressed_body_is_a_400(encoding: str, data: bytes):
    """A truncated or invalid compressed body writes no events."""
    log = MemoryLog()
    answer = post(log, encoding, data)
    assert (answer.status_code, answer.json["field"]) == (400, "Content-Encoding")
    assert not log.records


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_damaged_body_is_never_a_server_error(encoding: str):
    """For any bytes, the response is that of a valid body or names the error."""
    chance = random.Random(12)
    log = MemoryLog()
    client = client_of(log)
    packed = PACK[encoding](ITEMS)
    for _ in range(300):
        damaged = bytearray(packed)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        status = post(log, encoding, bytes(damaged[: chance.randint(1, len(damaged))]), client).status_code
        assert status in (200, 207, 400, 413)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "compress"])
def test_an_unsupported_encoding_is_a_415(encoding: str):
    """The response to an unsupported encoding names the supported ones."""
    log = MemoryLog()
    answer = post(log, encoding, b"x")
    assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "gzip, zstd")
    assert not log.records
