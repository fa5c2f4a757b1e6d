"""Gateways of others as systems, from the folder into which `make peers` installs them."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.programs import run_program
from benchmarks.systems.system import FERRO, FERRO_WITH_LOG, LITELLM, PORTKEY, System
from benchmarks.targets import CHAT_BODY, MODEL, Target
from tests.support.programs import ROOT, free_port

FOLDER = ROOT / ".peers"
LITELLM_PROGRAM = FOLDER / "python" / "bin" / "litellm"
FERRO_PROGRAM = FOLDER / "python" / "bin" / "ferrogw"
PORTKEY_PROGRAM = FOLDER / "portkey" / "node_modules" / ".bin" / "gateway"
PORTKEY_PACKAGE = FOLDER / "portkey" / "node_modules" / "@portkey-ai" / "gateway" / "package.json"

LITELLM_SETTINGS = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # do not download a price list
}


def read_installed_versions() -> dict[str, str]:
    """Return the version of each installed gateway, by its name."""
    found = {}
    if LITELLM_PROGRAM.exists():
        found[LITELLM] = _read_python_version("litellm")
    if FERRO_PROGRAM.exists():
        found[FERRO] = found[FERRO_WITH_LOG] = _read_python_version("ferrogw")
    if PORTKEY_PROGRAM.exists() and shutil.which("node"):
        found[PORTKEY] = str(json.loads(PORTKEY_PACKAGE.read_text())["version"])
    return found


def _read_python_version(package: str) -> str:
    folders = [str(each) for each in FOLDER.glob("python/lib/python*/site-packages")]
    return next(each.version for each in distributions(name=package, path=folders))


@contextmanager
def start_litellm(upstream: str) -> Iterator[System]:
    """Start LiteLLM with one worker and a master key. It has no database, so it records nothing."""
    port, key = free_port(), f"sk-{secrets.token_hex(16)}"
    parameters = {"model": f"openai/{MODEL}", "api_base": upstream, "api_key": "sk-proj-benchmark-0000"}
    configuration = {
        "model_list": [{"model_name": MODEL, "litellm_params": parameters}],
        "general_settings": {"master_key": key},
        "litellm_settings": {"telemetry": False},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text(json.dumps(configuration))  # JSON is valid YAML
        command = [str(LITELLM_PROGRAM), "--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
        command += ["--num_workers", "1", "--telemetry", "False"]
        url = f"http://127.0.0.1:{port}"
        with run_program(command, f"{url}/health/liveliness", LITELLM_SETTINGS) as program:
            target = Target(f"{url}/v1/chat/completions", {"Authorization": f"Bearer {key}"}, dict(CHAT_BODY))
            yield System(LITELLM, [target], program)


@contextmanager
def start_portkey(upstream: str) -> Iterator[System]:
    """Start Portkey. It forwards each request with the caller's key and stores nothing."""
    port = free_port()
    headers = {
        "Authorization": "Bearer sk-proj-benchmark-0000",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": upstream,
    }
    command = [str(shutil.which("node")), str(PORTKEY_PROGRAM), "--headless", f"--port={port}"]
    url = f"http://127.0.0.1:{port}"
    with run_program(command, f"{url}/", {"NODE_ENV": "production"}) as program:
        yield System(PORTKEY, [Target(f"{url}/v1/chat/completions", headers, dict(CHAT_BODY))], program)


def start_ferro(upstream: str) -> AbstractContextManager[System]:
    """Start Ferro on one processor. It authenticates the caller by a master key and records nothing."""
    return _start_ferro(FERRO, upstream, with_log=False)


def start_ferro_with_log(upstream: str) -> AbstractContextManager[System]:
    """Start Ferro with its request log in SQLite."""
    return _start_ferro(FERRO_WITH_LOG, upstream, with_log=True)


@contextmanager
def _start_ferro(name: str, upstream: str, *, with_log: bool) -> Iterator[System]:
    port, key = free_port(), secrets.token_hex(16)
    stages = ("before_request", "after_request", "on_error") if with_log else ()
    logger = {
        "name": "request-logger",
        "type": "logging",
        "enabled": True,
        "config": {"level": "error", "persist": True},
    }
    configuration = {
        "strategy": {"mode": "single"},
        "targets": [{"virtual_key": "openai"}],
        "plugins": [logger | {"stage": stage} for stage in stages],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(configuration))
        environ = {
            "GATEWAY_CONFIG": str(path),
            "GOMAXPROCS": "1",
            "LOG_LEVEL": "error",
            "MASTER_KEY": key,
            "OPENAI_API_KEY": "sk-proj-benchmark-0000",
            "OPENAI_BASE_URL": upstream,
            "PORT": str(port),
            "RATE_LIMIT_RPS": "0",  # by default it allows 20 requests a second from an address
        }
        if with_log:
            environ |= {"REQUEST_LOG_STORE_BACKEND": "sqlite", "REQUEST_LOG_STORE_DSN": f"{folder}/calls.db"}
        url = f"http://127.0.0.1:{port}"
        with run_program([str(FERRO_PROGRAM), "serve"], f"{url}/livez", environ) as program:
            target = Target(f"{url}/v1/chat/completions", {"Authorization": f"Bearer {key}"}, dict(CHAT_BODY))
            yield System(name, [target], program)
