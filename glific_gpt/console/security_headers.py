"""Security headers of every page: no foreign or inline scripts, no framing, no caching.

`app.py` adds those of every response.
"""

from flask import Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Tabler's style sheet contains small pictures as data: URLs, such as the arrow of a select box.
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def set_security_headers(response: Response) -> Response:
    """Set the headers after every view.

    Pages are not cached, because they can hold secrets of one user. Static files have a header of their own.
    """
    response.headers.update(HEADERS)
    if request.endpoint != "console.static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response
