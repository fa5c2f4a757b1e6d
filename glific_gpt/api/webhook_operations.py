"""The webhook's functions in the OpenAPI document: one operation for each function of the registry."""

from collections.abc import Iterable
from typing import Any

from glific_gpt.errors import errors_by_code
from glific_gpt.functions.body_schema import describe_body
from glific_gpt.functions.contract import Function
from glific_gpt.organizations.changes import SLUG_IN_PATH

Json = dict[str, Any]

TAG = "Webhooks"
SECURITY_SCHEMES: Json = {
    "webhook_token": {"type": "http", "scheme": "bearer", "description": "A webhook token of the organization."},
    "glific_signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Glific-Signature",
        "description": "Glific's signature of the body.",
    },
}
_CALL_ID: Json = {"type": "string", "description": "The id of the call."}
_MODES = {
    "sync": "answer within the deadline, or fail",
    "async": "answer later, to the waiting flow",
    "auto": "answer within the deadline, or later to the waiting flow",
}
_PARAMETERS: list[Json] = [
    {
        "name": "slug",
        "in": "path",
        "required": True,
        "description": "The organization.",
        "schema": {"type": "string", "pattern": SLUG_IN_PATH},
    },
    {
        "name": "mode",
        "in": "query",
        "description": "; ".join(f"`{mode}`: {meaning}" for mode, meaning in _MODES.items()),
        "schema": {"type": "string", "enum": [*_MODES], "default": "sync"},
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Identical for repetitions of the same call, which get the first answer.",
        "schema": {"type": "string"},
    },
]
ERROR: Json = {
    "type": "object",
    "properties": {
        "success": {"const": False},
        "status": {"const": "error"},
        "error_code": {"type": "string"},
        "error_class": {"enum": ["caller", "organization", "service"], "description": "Who can correct it."},
        "error": {"type": "string", "description": "What happened, and what to do."},
        "parsed_msg": {"type": "string", "description": "The organization's message when there is no answer."},
        "call_id": _CALL_ID,
    },
    "required": ["success", "status", "error_code", "error_class", "error", "parsed_msg", "call_id"],
}
PENDING: Json = {
    "type": "object",
    "properties": {"success": {"const": True}, "status": {"const": "pending"}, "call_id": _CALL_ID},
    "required": ["success", "status", "call_id"],
}
_ERROR_RESPONSE: Json = {
    "description": "The reason why there is no answer.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WebhookError"}}},
}


def add_webhooks(document: Json, functions: Iterable[Function[Any]]) -> Json:
    """Return the document with an operation for each function."""
    components = document["components"]
    error = ERROR | {"properties": ERROR["properties"] | {"error_code": {"enum": sorted(errors_by_code())}}}
    schemas = components["schemas"] | {"WebhookError": error, "WebhookPending": PENDING}
    schemes = components["securitySchemes"] | SECURITY_SCHEMES
    paths = {f"/webhooks/{{slug}}/{function.name}": {"post": _operation(function)} for function in functions}
    return document | {
        "components": components | {"schemas": schemas, "securitySchemes": schemes},
        "paths": document["paths"] | paths,
    }


def _operation(function: Function[Any]) -> Json:
    body = {"schema": describe_body(function)} | ({"example": dict(function.example)} if function.example else {})
    return {
        "tags": [TAG],
        "operationId": function.name,
        "summary": function.title or function.name,
        "description": function.help,
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "parameters": _PARAMETERS,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {
                "description": "The answer, or the notice that it comes later.",
                "content": {
                    "application/json": {
                        "schema": {"oneOf": [_answer(function), {"$ref": "#/components/schemas/WebhookPending"}]}
                    }
                },
            },
            "default": _ERROR_RESPONSE,
        },
    }


def _answer(function: Function[Any]) -> Json:
    """Return the schema of an answer. Functions may add keys."""
    properties: Json = {
        "success": {"const": True},
        "status": {"const": "ok"},
        "parsed_msg": {"description": "The answer: text in WhatsApp's formatting, or decoded JSON. Never empty."},
        "model": {"type": "string", "description": "The model that answered."},
        "cut_off": {"const": True, "description": "The model ran out of tokens."},
        "call_id": _CALL_ID,
    }
    if function.answer_key:
        properties |= {function.answer_key: {"description": "The same as `parsed_msg`."}}
    required = ["success", "status", "parsed_msg", "model", "call_id"]
    return {"type": "object", "properties": properties, "required": required}
