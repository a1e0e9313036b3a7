"""Fields that a stand-in has no answer for: they are refused, never ignored."""

from collections.abc import Collection, Iterator
from typing import Any


class Refused(Exception):  # noqa: N818 it says what happened
    """A resource that cannot be had; the message says why."""


def refuse_all_but(supported: Collection[str], spec: object) -> None:
    """Refuse a spec with fields other than these; a path stands for all that is below it."""
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
