"""The documentation has every built-in function with its fields, and the sample plugin."""

import re
from typing import Any

import pytest

from glific_gpt.functions.contract import Function, FunctionBody, Need
from glific_gpt.functions.registry import DEFAULT_FUNCTION, find_built_in
from tests.support.programs import ROOT

OVERVIEW = (ROOT / "docs" / "functions.md").read_text()
FIELDS = (ROOT / "docs" / "glific.md").read_text()
ABILITIES = {Need.TEXT: "answer in text", Need.PICTURES: "read pictures", Need.FILE_SEARCH: "search files"}

each_function = pytest.mark.parametrize("function", find_built_in(), ids=lambda function: function.name)


def test_the_default_function_is_the_first_one() -> None:
    names = [function.name for function in find_built_in()]
    assert names[0] == DEFAULT_FUNCTION
    assert {"parse_via_gpt_vision", "filesearch-gpt"} <= set(names)


@each_function
def test_it_has_a_row_in_the_overview(function: Function[Any]) -> None:
    needs = [ABILITIES[need] for need in (Need.PICTURES, Need.FILE_SEARCH, Need.TEXT) if need in function.needs]
    key = f"`{function.answer_key}`" if function.answer_key else ""
    assert f"| `{function.name}` | {function.help} | {key} | {needs[0]} |".replace("|  |", "| |") in OVERVIEW


@each_function
def test_its_fields_are_documented(function: Function[Any]) -> None:
    own = function.body.model_fields.keys() - FunctionBody.model_fields.keys()
    assert [name for name in sorted(own) if f"`{name}`" not in FIELDS] == []
    assert f"`{function.name}`" in FIELDS or f"/{function.name}`" in FIELDS


@each_function
def test_it_describes_itself(function: Function[Any]) -> None:
    assert function.title
    assert function.help.endswith(".")
    assert function.flow_values.keys() <= function.example.keys()


def test_the_documented_plugin_is_the_sample_plugin() -> None:
    [code] = re.findall(r"```python\n(.*?)```", OVERVIEW, re.DOTALL)
    assert code == (ROOT / "tests" / "sample_plugin" / "glific_gpt_summarise.py").read_text()
