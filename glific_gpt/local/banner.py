"""What `make run` says when it is ready: where it is, what it is not, and a command to paste."""

import json

from glific_gpt.local.demo import ADMINISTRATOR_EMAIL
from glific_gpt.local.demo import DEMO_SLUG
from glific_gpt.local.demo import Demo
from glific_gpt.schemas import webhook_url
from glific_gpt.settings import Settings

QUESTION = {"question_text": "What is ORS, and when should I give it?", "gpt_model": "gpt-4o-mini"}

SANDBOX = """\
  OpenAI        SANDBOX: there was no OPENAI_API_KEY, so a stand-in on this machine makes
                the answers up, and each begins with [sandbox]. For real ones:
                OPENAI_API_KEY=sk-... make run"""
REAL = "  OpenAI        your key, from OPENAI_API_KEY"

SIGN_IN = """
                E-mail address: {email}
                Password, said this once: {password}
                (when you sign in, you choose your own)"""

BANNER = """
glific_gpt is running at {url}

  Console       {url}/console/{sign_in}

  Organization  {slug}
  Webhook URL   {webhook_url}
{openai}

Ask it something, from another terminal:

  {curl}

  Commands      . .venv/bin/activate && flask --help
  JSON API      {url}/api/docs
  Stop          Ctrl-C; nothing is lost, and `make run` goes on where it was
"""


def format_banner(settings: Settings, demo: Demo, password: str | None, *, sandbox: bool) -> str:
    url = webhook_url(settings.public_url, DEMO_SLUG)
    openai = SANDBOX if sandbox else REAL
    if demo.warning:
        openai += f"\n                WARNING: {demo.warning}"
    return BANNER.format(
        url=settings.public_url,
        sign_in=SIGN_IN.format(email=ADMINISTRATOR_EMAIL, password=password) if password else "",
        slug=DEMO_SLUG,
        webhook_url=url,
        openai=openai,
        curl=format_curl(url, demo.token),
    )


def format_curl(url: str, token: str) -> str:
    """A command that answers when it is pasted into a shell."""
    lines = (
        f"curl -sS {url}",
        f"-H 'Authorization: Bearer {token}'",
        "-H 'Content-Type: application/json'",
        f"-d '{json.dumps(QUESTION)}'",
    )
    return " \\\n    ".join(lines)
