"""The parameters of an action, in the query or the body."""

import pytest

from tests.unit.game_api.memory_log import MemoryLog, client_of

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (FORM, "guild=Ritter+vom+See%20%F0%9F%9B%A1"),
        (f"{FORM}; charset=utf-8", "guild=Ritter+vom+See+🛡".encode()),
        ("application/json", '{"guild": "Ritter vom See 🛡"}'.encode()),
        ("Application/JSON; charset=utf-8", b'{"guild": "Ritter vom See \\ud83d\\udee1"}'),
    ],
)
def test_a_body_may_contain_the_parameters(content_type: str, data: bytes | str):
    """A form and a JSON object are equivalent to a query."""
    log = MemoryLog()
    answer = client_of(log).post("/join_a_guild", data=data, content_type=content_type)
    assert answer.status_code == 200
    assert log.events[0]["guild_name"] == "Ritter vom See 🛡"


@pytest.mark.parametrize("header", ["X-Player", "Idempotency-Key"])
def test_an_empty_player_or_key_is_a_400(header: str):
    """A header for the player or the key must not be empty."""
    log = MemoryLog()
    answer = client_of(log).post("/", headers={header: "", "Accept": "application/json"})
    assert (answer.status_code, answer.json["field"]) == (400, header)
    assert not log.records


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (FORM, "amount=5"),
        ("application/json", '{"amount": 5}'),
        ("application/json", '{"amount": "5"}'),
        ("application/json", '{"amount": 5.0}'),
    ],
)
def test_a_number_may_be_text(content_type: str, data: str):
    """A number may be text in a form and in JSON. A value that is not an integer is refused."""
    log = MemoryLog()
    client = client_of(log)
    # The parameters are valid, but without a world this action cannot be decided.
    assert client.post("/throw_dice", data=data, content_type=content_type).status_code == 503
    wrong = client.post(
        "/throw_dice", data=data.replace("5", "5e400" if ":" in data else "5.5"), content_type=content_type
    )
    assert wrong.status_code == 400


@pytest.mark.parametrize("query", ["", "?guild=x"])
@pytest.mark.parametrize("content_type", [FORM, "application/json", "text/plain", "application/xml", None])
def test_an_empty_body_may_have_any_type(content_type: str | None, query: str):
    """The content type of an empty body does not matter."""
    log = MemoryLog()
    assert client_of(log).post("/join_a_guild" + query, data=b"", content_type=content_type).status_code == 200
    assert len(log.events) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", None])
def test_a_body_of_another_type_is_a_415(content_type: str | None):
    """A body of an unsupported type is refused with a message that names the supported ones."""
    log = MemoryLog()
    answer = client_of(log).post("/join_a_guild", data=b"guild=x", content_type=content_type)
    assert answer.status_code == 415
    assert FORM in answer.text
    assert "application/json" in answer.text
    assert not log.records


@pytest.mark.parametrize(
    ("query", "content_type", "data", "field"),
    [
        ("?guild=x", FORM, "guild=x", "guild"),
        ("?guild=x", "application/json", '{"guild": "x"}', "guild"),
        ("", FORM, "guild=x&guild=x", "guild"),
        ("", FORM, "gilde=x", "gilde"),
        ("", FORM, "guild=caf%E9", "guild"),
        ("", FORM, b"guild=caf\xe9", "guild"),
        ("", FORM, "caf%E9=x", "body"),
        ("", FORM, "guild=", "guild"),
        ("", FORM, "&".join(f"g{number}=x" for number in range(200)), "body"),
        ("", "application/json", '{"guild": 7}', "guild"),
        ("", "application/json", '{"guild": null}', "guild"),
        ("", "application/json", '{"guild": ["x"]}', "guild"),
        ("", "application/json", '{"guild": "\\ud800"}', "guild"),
        ("", "application/json", '{"\\ud800": 1}', "\\ud800"),
        ("", "application/json", '{"guild": "x", "guild": "x"}', "body"),
        ("", "application/json", "[]", "body"),
        ("", "application/json", "{", "body"),
        ("", "application/json", b"\xff", "body"),
        ("", "application/json", "[" * 100_000, "body"),
        ("?guild=caf%E9", None, "", "guild"),
        ("?guild=caf%C3", None, "", "guild"),
        ("?caf%E9=x", None, "", "query"),
        ("?\x00=x", None, "", "\\x00"),
    ],
)
def test_an_invalid_parameter_is_named(query: str, content_type: str | None, data: bytes | str, field: str):
    """A parameter that is repeated, unknown or invalid is a 400 that names it."""
    log = MemoryLog()
    answer = client_of(log).post(
        "/join_a_guild" + query, data=data, content_type=content_type, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert not log.records


@pytest.mark.parametrize("path", ["/caf\xe9", "/heroes/caf\xe9", "/purchase_a_sword/\xff"])
def test_a_path_that_is_not_utf8_is_a_400(path: str):
    """Invalid bytes in a path are refused instead of replaced."""
    headers = {"Accept": "application/json"}
    answer = client_of(MemoryLog()).get("/", headers=headers, environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.json["field"]) == (400, "path")


@pytest.mark.parametrize("path", ["/purchase_a_sword/", "/join_a_guild/?guild=x"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_trailing_slash_is_ignored(path: str, method: str):
    """An action with a trailing slash works without a redirect, which some clients do not follow."""
    log = MemoryLog()
    assert client_of(log).open(path, method=method).status_code == 200
    assert len(log.records) == 1
