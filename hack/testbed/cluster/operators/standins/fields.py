"""Refuses the fields that a stand-in does not support, which are never ignored."""

from collections.abc import Collection, Iterator
from typing import Any


class Refused(Exception):  # noqa: N818 the name says what happened
    """A resource that the stand-in refuses; the message explains why."""


def refuse_all_but(supported: Collection[str], spec: object) -> None:
    """Refuse a spec with other fields than these. A path includes everything below it."""
    if others := sorted(set(_others(supported, spec, ""))):
        raise Refused(f"the stand-in does not support spec.{', spec.'.join(others)}")


def _others(supported: Collection[str], thing: Any, path: str) -> Iterator[str]:  # noqa: ANN401 any JSON
    if path in supported or thing is None:
        return
    if isinstance(thing, list):
        for one in thing:
            yield from _others(supported, one, path)
    elif isinstance(thing, dict) and any(one.startswith(f"{path}.".lstrip(".")) for one in supported):
        for name, one in thing.items():
            yield from _others(supported, one, f"{path}.{name}".lstrip("."))
    else:
        yield path
