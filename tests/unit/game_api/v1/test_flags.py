"""`GET /v1/flags`."""

from random import Random

from game_api import create_app
from game_events.experiments import EXPERIMENTS, variants_of
from werkzeug.test import Client

from tests.unit.game_api.client import client_for
from tests.unit.game_api.memory_log import HOST, MemoryLog, client_of
from tests.unit.game_api.v1.test_me import claimed, loader

__all__ = ["claimed", "loader"]


def test_a_player_has_variants() -> None:
    """Without a world, too, a player gets a variant of every experiment, by the normal form of the name."""
    client = client_of(MemoryLog())
    answer = client.get("/v1/flags")
    assert answer.json == {"player": HOST, "experiments": variants_of(HOST)}
    assert answer.json["experiments"].keys() == EXPERIMENTS.keys()
    assert client.get("/v1/flags", headers={"X-Player": "LANCELOT"}).json["experiments"] == variants_of("lancelot")


def test_no_cache_may_show_them_to_another_player() -> None:
    """The next request for the same URL may be another player's."""
    assert client_of(MemoryLog()).get("/v1/flags").headers["Cache-Control"] == "no-store"


def test_the_token_says_whose_they_are(claimed: Client) -> None:
    """Where players prove their names, they get their own variants, and no others'."""
    first = claimed.post("/v1/actions/default", headers={"X-Player": "Gawain"})
    token = {"Authorization": f"Bearer {first.headers['Player-Token']}"}
    assert claimed.get("/v1/flags", headers=token).json == {"player": "gawain", "experiments": variants_of("gawain")}
    assert claimed.get("/v1/flags", headers={**token, "X-Player": "other"}).status_code == 403
    assert claimed.get("/v1/flags").json["type"] == "/v1/problems/unauthorized"


def test_an_exposure_is_an_event() -> None:
    """An app reports what a player saw, alone or in bulk, also of an experiment that is not declared here."""
    log = MemoryLog()
    client = client_for(create_app(log, random=Random(1)))
    seen = {"experiment": "somebody's else", "variant": "B"}
    assert client.post("/v1/actions/see_experiment", json=seen).json["fields"] == seen
    for path in ("/events", "/v1/events"):
        assert client.post(path, json=[{"event_type": "see_experiment", **seen}]).status_code == 200
    assert client.post("/see_an_experiment", data=seen).status_code == 200
    assert [{name: event[name] for name in seen} for event in log.events] == [seen] * 4


def test_an_exposure_names_both() -> None:
    """Without its experiment or its variant, an exposure is refused by the field's name; a GET has no effect."""
    log = MemoryLog()
    client = client_of(log)
    for missing, given in (("variant", {"experiment": "a"}), ("experiment", {"variant": "a"})):
        answer = client.post("/v1/actions/see_experiment", json=given)
        assert (answer.status_code, answer.json["field"]) == (400, missing)
    assert client.get("/see_an_experiment?experiment=a&variant=b").status_code == 405
    assert log.records == []
