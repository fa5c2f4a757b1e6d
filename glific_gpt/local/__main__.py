"""`make run`: everything on one machine, from nothing to a webhook that answers."""

import os
import sys
import threading
import time
import urllib.error
import urllib.request

from flask_migrate import upgrade

import config
from glific_gpt.app import create_app
from glific_gpt.database import db
from glific_gpt.errors import GlificGptError, SettingsError
from glific_gpt.local import banner, demo, sandbox
from glific_gpt.server import supervisor
from glific_gpt.services import services
from glific_gpt.settings import PREFIX, Settings

START_SECONDS = 30


def main() -> None:
    os.umask(0o077)  # the database holds an organization's data: no other user of the machine reads it
    try:
        config.make_instance_secrets()
        api_key = config.openai_api_key()
        settings = _settings(None if api_key else sandbox.start())
        made, password = _prepare(settings, api_key)
        words = banner.format_banner(settings, made, password, sandbox=api_key is None)
        threading.Thread(target=_say_when_ready, args=(settings, words), daemon=True).start()
        with config.published_run_state(settings):
            supervisor.run(settings)
    except GlificGptError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {config.INSTANCE} cannot be used ({error.strerror}): it must be a folder that you can write.")
    except KeyboardInterrupt:  # before it serves
        pass
    supervisor.exit_now()


def _settings(sandbox_url: str | None) -> Settings:
    """The embedded defaults, written into the environment, where the server's processes find them.

    Raises SettingsError for a database of somebody's own without its secrets: this machine's must not get into it.
    """
    if f"{PREFIX}DATABASE_URL" in os.environ and f"{PREFIX}ENCRYPTION_KEYS" not in os.environ:
        raise SettingsError(
            f"`make run` keeps a database of its own: unset {PREFIX}DATABASE_URL, or use `make serve` for this one."
        )
    defaults = {
        "DATABASE_URL": f"sqlite:///{config.INSTANCE}/glific_gpt.db",
        "SECRET_KEY": (config.INSTANCE / "secret_key").read_text().strip(),
        "ENCRYPTION_KEYS": (config.INSTANCE / "encryption_keys").read_text().strip(),
        "BIND": f"127.0.0.1:{config.local_port()}",
        "PUBLIC_URL": f"http://127.0.0.1:{config.local_port()}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(PREFIX + name, value)
    if sandbox_url:
        os.environ[f"{PREFIX}OPENAI_BASE_URL"] = sandbox_url
    return config.load(instance=None)


def _prepare(settings: Settings, api_key: str | None) -> tuple[demo.Demo, str | None]:
    """Migrations, the demo organization, and the administrator's password if there was none."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        made, password = demo.ensure_demo(services(), config.INSTANCE, api_key), demo.ensure_administrator()
        db.engine.dispose()
    return made, password


def _say_when_ready(settings: Settings, words: str) -> None:
    """The banner, once a pasted command is sure of an answer."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know this machine
    for _ in range(START_SECONDS * 10):
        try:
            direct.open(f"http://{settings.bind}/readyz", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            print(words, flush=True)  # noqa: T201 - this is for the person at the terminal
            return
    print("The server does not say that it is ready; its log may say why.", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
