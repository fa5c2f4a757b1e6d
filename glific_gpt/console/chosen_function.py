"""The function of the webhook that a page is about: the one in the query, by default the first one."""

from typing import Any

from flask import abort, request

from glific_gpt.functions.contract import Function
from glific_gpt.services import services


def chosen_function() -> Function[Any]:
    """Return the function in the query. Without one, return the first function. Unknown names are a 404."""
    functions = services().functions
    name = request.args.get("function") or functions.names()[0]
    return functions.get(name) if name in functions.names() else abort(404)
