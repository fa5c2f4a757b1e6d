"""Hypothesis strategies for flow files with unexpected values."""

from typing import Any

from hypothesis import strategies as st

from tests.flows.every_node_type import every_node_type

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def flows_with_any_value(draw: st.DrawFn) -> Any:
    """Return a file with every type of node, in which one value is replaced by any JSON."""
    exported: Any = every_node_type()
    place = exported
    while True:
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if not place[key] or not isinstance(place[key], dict | list) or draw(st.booleans()):
            break
        place = place[key]
    place[key] = draw(JSON)
    return exported
