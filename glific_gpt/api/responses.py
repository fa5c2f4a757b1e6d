"""Answers that are not errors: how they are sent, and how the description of the API tells of them."""

from typing import Any

from flask import Response
from pydantic import BaseModel


def answer(content: BaseModel, status: int = 200) -> Response:
    return Response(content.model_dump_json(), status, mimetype="application/json")


def created(content: BaseModel, location: str) -> Response:
    """201, with the path of what is there now."""
    response = answer(content, 201)
    response.headers["Location"] = location
    return response


def declared_created(content: type[BaseModel]) -> dict[str, Any]:
    """The description of created()."""
    return {
        "description": "Created",
        "headers": {"Location": {"description": "Its path.", "required": True, "schema": {"type": "string"}}},
        "content": {"application/json": {"schema": content.model_json_schema(mode="serialization")}},
    }


def nothing() -> Response:
    """204: done, and there is nothing to say."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response
