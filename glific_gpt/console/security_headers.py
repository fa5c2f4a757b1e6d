"""What a browser is told of every page: to load from here alone, to run no inline script, to keep nothing."""

from flask import Response, request

from glific_gpt.services import services

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
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
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
A_YEAR = "public, max-age=31536000, immutable"


def protect(response: Response) -> Response:
    """After every view. A page may hold what one person alone may see, so no cache keeps it; our files may be kept."""
    response.headers.update(HEADERS)
    if services().settings.public_url.startswith("https://"):  # the request itself may have left TLS at a proxy
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    kept = request.endpoint == "console.static" and response.status_code in (200, 304)
    response.headers["Cache-Control"] = A_YEAR if kept else "no-store"
    return response
