"""The service manager's protocol (sd_notify(3)): ready, alive, stopping."""

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Tell the service manager, where there is one, such as `READY=1` or `WATCHDOG=1`."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(state.encode(), address)
