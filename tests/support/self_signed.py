"""A server on loopback with a self-signed certificate, which clients must not trust."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from glific_gpt.clock import now

LOOPBACK = "127.0.0.1"


@contextmanager
def run_self_signed_server(folder: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Yield its port and the received data, which stays empty if clients check its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder))
    received: list[bytes] = []
    with socket.create_server((LOOPBACK, 0)) as listener:
        threading.Thread(target=_listen, args=(listener, context, received), daemon=True).start()
        yield listener.getsockname()[1], received
        listener.shutdown(socket.SHUT_RDWR)


def _listen(listener: socket.socket, context: ssl.SSLContext, received: list[bytes]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as private:
            received.append(private.recv(65536))


def certificate(folder: Path, *names: str) -> Path:
    """Write a key and a self-signed certificate for LOOPBACK and these names to a file, and return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    alternatives = [x509.IPAddress(ip_address(LOOPBACK)), *map(x509.DNSName, names)]
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "glific.example")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - timedelta(hours=1))
        .not_valid_after(now() + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self_signed.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path
