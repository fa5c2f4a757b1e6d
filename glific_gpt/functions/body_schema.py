"""The body of a function as a JSON Schema, for documentation. The webhook accepts more, such as numbers as text."""

from functools import lru_cache
from typing import Any

from glific_gpt.functions.contract import Function, FunctionBody

JsonSchema = dict[str, Any]

_KEYWORDS: dict[str, str] = {"ge": "minimum", "le": "maximum"}
"""Limits of numbers that are read from text have pydantic's names."""
_OMITTED = {"title", "default"}
"""Titles only repeat the names, and clients would send defaults."""


def describe_body(function: Function[Any]) -> JsonSchema:
    """Return the schema of a function's body, without `$defs` and `$ref`. It is shared, so it must not be changed."""
    body: type[FunctionBody] = function.body
    return _describe(body, function.settings)


@lru_cache(maxsize=128)  # it takes some milliseconds, and the API document is public
def _describe(body: type[FunctionBody], settings: frozenset[str]) -> JsonSchema:
    schema = body.model_json_schema()
    properties = _simplify(schema["properties"], schema.get("$defs", {}), is_schema=False)
    required = [name for name in properties if name not in settings and _is_required(body, name)]
    # Required fields come first, and those that every function has come last.
    names = sorted(properties, key=lambda name: (name not in required, name in FunctionBody.model_fields))
    described: JsonSchema = {"type": "object", "properties": {name: properties[name] for name in names}}
    return described | ({"required": required} if required else {})


def _is_required(body: type[FunctionBody], name: str) -> bool:
    """Return whether a body without the field is refused: it has no default, or a default that is not valid."""
    field = next(field for key, field in body.model_fields.items() if name in {key, field.alias})
    return field.is_required() or bool(field.validate_default)


def _simplify(value: Any, definitions: JsonSchema, *, is_schema: bool = True) -> Any:
    """Resolve references, and drop what says nothing to a reader. `is_schema` is False for the map of properties."""
    if isinstance(value, list):
        return [_simplify(each, definitions) for each in value]
    if not isinstance(value, dict):
        return value
    if not is_schema:
        return {name: _simplify(each, definitions) for name, each in value.items()}
    if "$ref" in value:
        return _simplify(definitions[value["$ref"].rpartition("/")[2]], definitions)
    simple: JsonSchema = {
        _KEYWORDS.get(str(key), str(key)): _simplify(each, definitions, is_schema=key != "properties")
        for key, each in value.items()
        if key not in _OMITTED and key != "discriminator"
    }
    if simple.get("type") == "array" and "maxLength" in simple:  # a list that is read by a function of ours
        simple["maxItems"] = simple.pop("maxLength")
    return _without_null(simple)


def _without_null(schema: JsonSchema) -> JsonSchema:
    """Drop null from the choices: a field that is not needed can be left out."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    if len(choices) != 1:
        return schema
    return {**choices[0], **{key: each for key, each in schema.items() if key != "anyOf"}}
