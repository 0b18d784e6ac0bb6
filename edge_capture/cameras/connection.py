"""One TCP connection to an address that was pinned, and to nothing else."""

import select
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Final

from edge_capture.errors import UnreadableSource

CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.1  # how soon a closed source is noticed


def connect(addresses: Sequence[str], port: int, *, closed: Event) -> socket.socket:
    """Return a connection to the first of the numeric addresses that takes one.

    Raises:
        OSError: none did within `CONNECT_TIMEOUT_S`, or `closed` was set meanwhile.
    """
    problem: OSError = ConnectionError("no address to connect to")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            _connect(connection, (address, port), closed)
        except OSError as error:
            connection.close()
            problem = error
            continue
        connection.settimeout(READ_TIMEOUT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise problem


def _connect(connection: socket.socket, target: tuple[str, int], closed: Event) -> None:
    connection.settimeout(0)
    code = connection.connect_ex(target)
    waited_s = 0.0
    while code and not select.select([], [connection], [], _LOOK_EVERY_S)[1]:
        waited_s += _LOOK_EVERY_S
        if closed.is_set() or waited_s >= CONNECT_TIMEOUT_S:
            raise TimeoutError(f"no connection within {CONNECT_TIMEOUT_S:g} s")
    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, "connection refused or host unreachable")


def secured(connection: socket.socket, host: str, ca_file: Path | None) -> ssl.SSLSocket:
    """Return the connection under TLS, with the certificate checked for `host`.

    Raises:
        UnreadableSource: the certificate is not one for this host by an authority this device trusts.
        OSError: the connection broke.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise UnreadableSource(
            f"expected a certificate for {host}, got: {error.verify_message}; put the camera's authority into ca_file"
        ) from error


def end(connection: socket.socket | None) -> None:
    """End a connection from any thread: whoever waits for it gets an end of data."""
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it had ended already
