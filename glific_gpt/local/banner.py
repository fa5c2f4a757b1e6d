"""The banner of `make run`: addresses, sign-in, a note about the sandbox, and a command to try."""

import json

from glific_gpt.local.demo import ADMINISTRATOR_EMAIL, DEMO_SLUG, Demo
from glific_gpt.schemas import webhook_url
from glific_gpt.settings import Settings

QUESTION = {"question_text": "What is ORS, and when should I give it?", "gpt_model": "gpt-4o-mini"}

SANDBOX = """\
  OpenAI        SANDBOX: OPENAI_API_KEY is not set, so a local stand-in for OpenAI
                answers. Each answer begins with [sandbox]. For real answers:
                OPENAI_API_KEY=sk-... make run"""
OWN_KEY = "  OpenAI        your key, from OPENAI_API_KEY"

SIGN_IN = """
                Email: {email}
                One-time password: {password}
                It is shown only now. You choose your own when you sign in."""
RESET_LINK = """
                Forgot your password? flask users reset-link EMAIL"""

BANNER = """
glific_gpt is running at {url}

  Console       {url}/console/{sign_in}

  Organization  {slug}
  Webhook URL   {webhook_url}
{openai}

Try it in another terminal:

  {curl}

  Commands      . .venv/bin/activate && flask --help
  JSON API      {url}/api/docs
  Stop          Ctrl-C. Your data is kept for the next `make run`.
"""


def format_banner(settings: Settings, demo: Demo, password: str | None, *, sandbox: bool) -> str:
    url = webhook_url(settings.public_url, DEMO_SLUG)
    openai = SANDBOX if sandbox else OWN_KEY
    if demo.warning:
        openai += f"\n                WARNING: {demo.warning}"
    return BANNER.format(
        url=settings.public_url,
        sign_in=SIGN_IN.format(email=ADMINISTRATOR_EMAIL, password=password) if password else RESET_LINK,
        slug=DEMO_SLUG,
        webhook_url=url,
        openai=openai,
        curl=format_curl(url, demo.token),
    )


def format_curl(url: str, token: str) -> str:
    """Return a shell command that calls the webhook."""
    lines = (
        f"curl -sS {url}",
        f"-H 'Authorization: Bearer {token}'",
        "-H 'Content-Type: application/json'",
        f"-d '{json.dumps(QUESTION)}'",
    )
    return " \\\n    ".join(lines)
