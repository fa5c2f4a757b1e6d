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
CACHE_FOR_A_YEAR = "public, max-age=31536000, immutable"


def set_security_headers(response: Response) -> Response:
    """Set the headers after every view.

    Pages are not cached, because they can hold secrets of one user. Static files are cached for a year.
    """
    response.headers.update(HEADERS)
    is_cacheable = request.endpoint == "console.static" and response.status_code in (200, 304)
    response.headers["Cache-Control"] = CACHE_FOR_A_YEAR if is_cacheable else "no-store"
    return response
