"""The API's blueprint: where it is, how it describes itself, and its lock."""

from typing import Any

from flask_openapi import APIBlueprint, Info

DESCRIPTION: dict[str, Any] = {"info": Info(title="glific_gpt", version="1")}

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1")
