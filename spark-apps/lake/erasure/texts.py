"""The texts of a rejected record, which may be JSON, JSON within JSON, or anything else."""

import json
import re
from collections.abc import Iterator
from typing import Any

_BETWEEN = {quote: re.compile(rf"(?:[^{quote}\\]++|\\.)++", re.DOTALL) for quote in "\"'"}
"""What is between two quotes, with escapes. Programs that are no JSON encoders write single quotes too."""

_IS_PUNCTUATION = re.compile(r"[\s:,{}\[\]]*").fullmatch


def texts(content: bytes) -> Iterator[str]:
    """Yield the texts that a record consists of, with JSON's escapes decoded.

    Of valid JSON these are all strings, keys included, also those of JSON that is such a string. In anything else, such
    as JSON that was cut off, quotes do not tell what a string is: each part between two of them counts, as well as the
    parts before the first and after the last one.
    """
    encoding = json.detect_encoding(content)
    for name in dict.fromkeys((encoding, "utf-8")):
        text = content.decode(name, errors="replace")
        yield text
        yield from _strings(text) if _is_json(text) else _parts(text)


def _strings(text: str) -> Iterator[str]:
    values: list[Any] = [_decoded(text)]
    while values:
        value = values.pop()
        if isinstance(value, list | tuple):
            values.extend(value)
        elif isinstance(value, str):
            yield value
            if '"' in value and _is_json(value):
                values.append(_decoded(value))


def _parts(text: str) -> Iterator[str]:
    for between in _BETWEEN.values():
        for part in between.findall(text):
            if not _IS_PUNCTUATION(part):
                yield part
                if "\\" in part and _is_json(quoted := f'"{part}"'):
                    yield _decoded(quoted)


def _is_json(text: str) -> bool:
    try:
        _decoded(text)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(text: str) -> Any:  # noqa: ANN401 JSON
    """Decode JSON, objects as lists of pairs: a key may be repeated. Control characters are accepted in strings."""
    return json.loads(text, object_pairs_hook=list, strict=False)
