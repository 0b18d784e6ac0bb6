"""A real S3 server for tests: OpenStack Swift with its s3api, in a virtual environment of its own.

    python3.11 -m venv .swift && .swift/bin/pip install swift setuptools
    FOOTFALL_SWIFT=.swift/bin pytest tests/edge_capture/test_swift.py

Four processes on loopback ports, about 240 MB. Nothing of it is installed beside the project.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Final, Self
from urllib.error import URLError
from urllib.request import urlopen

ACCESS_KEY: Final = "test:tester"
SECRET: Final = "testing"  # noqa: S105 - of a server on loopback that lives for a minute
_SERVERS: Final = ("account", "container", "object")
_START_WITHIN_S: Final = 90.0
_BACKEND = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {root}
devices = {root}/devices
mount_check = false
workers = 0
log_address = {root}/no-log
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
_PROXY = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
swift_dir = {root}
workers = 0
[pipeline:main]
pipeline = catch_errors healthcheck cache s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache}
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
"""


def swift_programs() -> Path | None:
    """Return the folder of Swift's programs, named by FOOTFALL_SWIFT, or None."""
    folder = os.environ.get("FOOTFALL_SWIFT")
    found = Path(folder).resolve() if folder else None
    return found if found and (found / "swift-proxy-server").exists() else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SwiftServer:
    """A context manager; `endpoint` is what AWS_ENDPOINT_URL has to be."""

    def __init__(self, programs: Path, root: Path) -> None:
        self._programs = programs
        self._root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ports = {kind: _free_port() for kind in (*_SERVERS, "proxy", "cache")}
        self.endpoint = f"http://127.0.0.1:{self._ports['proxy']}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def __enter__(self) -> Self:
        user = os.environ.get("USER") or "root"
        (self._root / "devices" / "d1").mkdir(parents=True)
        (self._root / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = for-tests\n")
        for kind in _SERVERS:
            values = {"kind": kind, "root": self._root, "user": user, "port": self._ports[kind]}
            (self._root / f"{kind}.conf").write_text(_BACKEND.format(**values))
            self._make_ring(kind)
        values = {"root": self._root, "user": user, "port": self._ports["proxy"], "cache": self._ports["cache"]}
        (self._root / "proxy.conf").write_text(_PROXY.format(**values))
        for kind in (*_SERVERS, "proxy"):
            self._start(kind)
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(20)
        shutil.rmtree(self._root / "devices", ignore_errors=True)

    def _make_ring(self, kind: str) -> None:
        builder = self._root / f"{kind}.builder"
        device = f"r1z1-127.0.0.1:{self._ports[kind]}/d1"
        for arguments in (["create", "4", "1", "1"], ["add", device, "1"], ["rebalance"]):
            command = [self._programs / "swift-ring-builder", builder, *arguments]
            subprocess.run(command, check=True, capture_output=True)

    def _start(self, kind: str) -> None:
        log = (self._root / f"{kind}.log").open("wb")
        command = [self._programs / f"swift-{kind}-server", self._root / f"{kind}.conf", "-v"]
        self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _wait(self) -> None:
        until = time.monotonic() + _START_WITHIN_S
        while True:
            try:
                with urlopen(f"{self.endpoint}/healthcheck", timeout=2) as answer:  # noqa: S310 - http on loopback
                    if answer.status == 200:
                        return
            except (URLError, OSError):
                pass
            if time.monotonic() > until or any(each.poll() is not None for each in self._processes):
                logs = "\n".join(path.read_text()[-800:] for path in self._root.glob("*.log"))
                self.__exit__()
                raise RuntimeError(f"Swift did not start:\n{logs}")
            time.sleep(0.2)
