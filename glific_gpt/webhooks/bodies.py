"""The raw body of a webhook, which its signature signs; never more than a mebibyte of it."""

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from glific_gpt.errors import BodyTooLarge, InvalidJson
from glific_gpt.settings import MAX_BODY_BYTES


def raw_body(request: Request) -> bytes:
    """Raises BodyTooLarge, InvalidJson."""
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        raise BodyTooLarge from None
    except ClientDisconnected:
        raise InvalidJson from None
    # Of a body without Content-Length, Werkzeug reads as much as it may and says nothing of the rest.
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return body
