"""Sessions: Flask's own, in a signed cookie."""

from flask import Flask, Request
from flask.sessions import SecureCookieSessionInterface, SessionMixin


class Sessions(SecureCookieSessionInterface):
    """Whoever sends no cookie begins with nothing, as Flask has it too, but after it has derived the key to read it."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # type: ignore[override]
        if "HTTP_COOKIE" not in request.environ or self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)
