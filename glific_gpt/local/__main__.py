"""`make run`: set up and start everything on one machine, with a webhook that answers."""

import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

# Installed before the slow imports, during which Ctrl-C would otherwise print a traceback.
if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

from flask_migrate import upgrade

import config
from glific_gpt.app import create_app
from glific_gpt.database import db, transaction
from glific_gpt.errors import GlificGptError, SettingsError
from glific_gpt.local import banner, demo, sandbox
from glific_gpt.local.kept_documents import KeptDocuments
from glific_gpt.operations import key_check
from glific_gpt.server import supervisor
from glific_gpt.server.serving_process import exit_now
from glific_gpt.services import services
from glific_gpt.settings import PREFIX, Settings
from glific_gpt.vault import Vault

START_TIMEOUT_SECONDS = 30
SANDBOX_DOCUMENTS = "sandbox_documents.json"


def main() -> None:
    os.umask(0o077)  # other users of the machine must not read the database
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on there are files to remove on Ctrl-C
    try:
        config.make_instance_secrets()
        api_key = config.openai_api_key()
        settings = _settings(None if api_key else sandbox.start(KeptDocuments(config.INSTANCE / SANDBOX_DOCUMENTS)))
        demo_setup, password = _prepare(settings, api_key)
        text = banner.format_banner(settings, demo_setup, password, sandbox=api_key is None)
        threading.Thread(target=_print_when_ready, args=(settings, text), daemon=True).start()
        with config.published_run_state(settings):
            supervisor.run(settings)
    except GlificGptError as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {config.INSTANCE} cannot be used ({error.strerror}). Make it a folder that you can write to.")
    except KeyboardInterrupt:  # the server handles it once it runs; this is for the time before
        pass
    exit_now()


def _settings(sandbox_url: str | None) -> Settings:
    """Write the defaults into the environment, where the server's processes read them, and return the settings.

    Raises SettingsError for an external database without its encryption keys, because the secrets of this machine
    must not be used in it.
    """
    if f"{PREFIX}DATABASE_URL" in os.environ and f"{PREFIX}ENCRYPTION_KEYS" not in os.environ:
        raise SettingsError(
            f"`make run` uses its own database. Unset {PREFIX}DATABASE_URL, or use `make serve` with this database."
        )
    defaults = {
        "DATABASE_URL": _own_database_url(),
        "SECRET_KEY": (config.INSTANCE / "secret_key").read_text().strip(),
        "ENCRYPTION_KEYS": (config.INSTANCE / "encryption_keys").read_text().strip(),
        "BIND": f"127.0.0.1:{config.local_port()}",
        "PUBLIC_URL": f"http://127.0.0.1:{config.local_port()}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(PREFIX + name, value)
    if sandbox_url:
        os.environ[f"{PREFIX}OPENAI_BASE_URL"] = sandbox_url
        os.environ[f"{PREFIX}SANDBOX"] = "true"
    return config.load(instance=None)


def _own_database_url() -> str:
    return f"sqlite:///{config.INSTANCE}/glific_gpt.db"


def _prepare(settings: Settings, api_key: str | None) -> tuple[demo.Demo, str | None]:
    """Migrate, and create the demo organization. Returns the password of the administrator if one was created."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        _check_keys(settings, services().vault)
        demo_setup, password = demo.ensure_demo(services(), config.INSTANCE, api_key), demo.ensure_administrator()
        db.engine.dispose()  # the server's processes must not inherit open connections
    return demo_setup, password


def _check_keys(settings: Settings, vault: Vault) -> None:
    """Continue with new encryption keys if those in instance/ were deleted. The demo organization gets a new key.

    Raises SettingsError if another database than that in instance/ has other keys: other servers may use it.
    """
    try:
        key_check.require_keys(vault)
    except SettingsError:
        if settings.database_url != _own_database_url():
            raise
        with transaction() as session:
            key_check.accept_keys(session, vault)
        sys.stderr.write("The encryption keys are new. Organizations other than demo have to enter their keys again.\n")


def _print_when_ready(settings: Settings, text: str) -> None:
    """Print the banner once the server is ready, so that its `curl` command gets an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy cannot reach this machine
    for _ in range(START_TIMEOUT_SECONDS * 10):
        try:
            opener.open(f"http://{settings.bind}/readyz", timeout=1).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            print(text, flush=True)  # noqa: T201 - output for the terminal, not a log line
            return
    print("The server is not ready yet. Check its log above.", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
