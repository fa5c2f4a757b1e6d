"""Successful responses, and their OpenAPI descriptions."""

from typing import Any

from flask import Response
from pydantic import BaseModel


def json_response(content: BaseModel, status: int = 200) -> Response:
    return Response(content.model_dump_json(), status, mimetype="application/json")


def created_response(content: BaseModel, location: str) -> Response:
    """Return a 201 response with the path of the new object."""
    response = json_response(content, 201)
    response.headers["Location"] = location
    return response


def created_spec(content: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI description of `created_response`."""
    return {
        "description": "Created",
        "headers": {
            "Location": {"description": "The path of the new object.", "required": True, "schema": {"type": "string"}}
        },
        "content": {"application/json": {"schema": content.model_json_schema(mode="serialization")}},
    }


def no_content() -> Response:
    """Return a 204 response."""
    response = Response(status=204)
    # Werkzeug sets it for every response, even for one without content.
    del response.headers["Content-Type"]
    return response
