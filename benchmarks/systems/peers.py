"""Gateways of others as systems, from the folder into which `make peers` installs them."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from benchmarks.programs import run_program
from benchmarks.systems.system import LITELLM, PORTKEY, System
from benchmarks.targets import CHAT_BODY, MODEL, Target
from tests.support.programs import ROOT, free_port

FOLDER = ROOT / ".peers"
LITELLM_PROGRAM = FOLDER / "litellm" / "bin" / "litellm"
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
        folders = [str(each) for each in FOLDER.glob("litellm/lib/python*/site-packages")]
        found[LITELLM] = next(each.version for each in distributions(name="litellm", path=folders))
    if PORTKEY_PROGRAM.exists() and shutil.which("node"):
        found[PORTKEY] = str(json.loads(PORTKEY_PACKAGE.read_text())["version"])
    return found


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
