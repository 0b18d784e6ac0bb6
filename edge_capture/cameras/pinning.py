"""A network camera whose name was resolved once: every later connection goes to the same numeric addresses."""

import socket
from pathlib import Path
from threading import Event, Lock

from edge_capture.addresses import AllowedAddresses, CameraAddress, Resolve, pin, system_resolve
from edge_capture.cameras.connection import connect, end, secured


class PinnedCamera:
    """Connections to one camera, TLS included where its address says so.

    Attributes:
        address: as configured.
        closed: set once no connection is wanted any more.
    """

    def __init__(
        self,
        address: CameraAddress,
        allowed: AllowedAddresses,
        *,
        ca_file: Path | None = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        self.address = address
        self.closed = Event()
        self._allowed = allowed
        self._ca_file = ca_file
        self._resolve = resolve
        self._pinned: tuple[str, ...] = ()
        self._lock = Lock()
        self._connection: socket.socket | None = None

    def connect(self) -> socket.socket:
        """Return a new connection.

        Raises:
            AddressRefused: the name leads to an address that cameras may not have; it is asked again next time.
            UnreadableSource: its certificate is not to be trusted.
            OSError: the name was not resolved, or nobody answers there.
        """
        if not self._pinned:
            self._pinned = pin(self.address, self._allowed, resolve=self._resolve)
        connection = connect(self._pinned, self.address.port, closed=self.closed)
        self._remember(connection)
        try:
            if self.address.is_secure:
                connection = secured(connection, self.address.host, self._ca_file)
                self._remember(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remember(self, connection: socket.socket) -> None:
        with self._lock:
            self._connection = connection
        if self.closed.is_set():
            end(connection)

    def interrupt(self) -> None:
        """End the present connection and refuse further ones, from any thread."""
        self.closed.set()
        with self._lock:
            end(self._connection)
