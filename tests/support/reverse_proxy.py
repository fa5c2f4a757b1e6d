"""nginx before two servers, with the settings of the handbook for it."""

import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.deferred import wait_until
from tests.support.platforms import skip_or_fail
from tests.support.programs import Program, start

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")

CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 75s;
    upstream glific_gpt {{
        {servers}
        keepalive 64;
        keepalive_timeout 60s;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://glific_gpt;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_request_buffering on;
            proxy_next_upstream error non_idempotent;
        }}
    }}
}}
"""


@contextmanager
def run_nginx(folder: Path, port: int, upstream_ports: Sequence[int]) -> Iterator[Program]:
    """Yield nginx on this port, before servers on the other ports. Its error log is its `errors`."""
    if NGINX is None:
        skip_or_fail("nginx is not installed.")
    folder.mkdir(parents=True)
    servers = "\n        ".join(f"server 127.0.0.1:{each} max_fails=0;" for each in upstream_ports)
    config = folder / "nginx.conf"
    with tempfile.TemporaryDirectory() as temporary:
        config.write_text(CONFIG.format(folder=temporary, port=port, servers=servers))
        with start((NGINX, "-c", str(config), "-e", "stderr"), folder) as program:
            wait_until(lambda: _accepts(port))
            yield program


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
