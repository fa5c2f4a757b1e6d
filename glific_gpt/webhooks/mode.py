"""The mode of a call, read from the query of its URL."""

from urllib.parse import parse_qsl

from glific_gpt.calls.request import SYNC


def read_mode(query: bytes) -> str:
    """Return the first `mode` of a query, decoded; `sync` if there is none.

    An encoded name (`m%6fde`) is the same name.
    """
    # latin-1 accepts every byte. No valid mode has a character of which UTF-8 would make another one.
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return next((value for name, value in pairs if name == "mode"), SYNC)
