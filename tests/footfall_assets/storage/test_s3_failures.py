"""What only a network can break: a server of our own on the loopback answers as badly as it is told."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config

from footfall_assets.contracts.errors import FootfallError, PermanentFailure, TransientFailure
from footfall_assets.storage.s3 import CONNECT_TIMEOUT_S, MOST_ATTEMPTS, READ_TIMEOUT_S, S3Lake

pytestmark = pytest.mark.usefixtures("credentials")


class _BadServer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    status = 200
    code = ""
    body = b""
    declared: int | None = None  # Content-Length in bytes where it is not the body's
    requests = 0

    def _answer(self):
        type(self).requests += 1
        self.close_connection = True
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        body = (
            f"<Error><Code>{self.code}</Code><Message>so it is</Message></Error>".encode() if self.code else self.body
        )
        self.send_response(self.status)
        self.send_header("Connection", "close")
        self.send_header("ETag", '"0123"')
        self.send_header("Content-Length", str(len(body) if self.declared is None else self.declared))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _answer  # noqa: N815

    def log_message(self, *arguments):
        pass


def _client(address):
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - a server of our own
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=2),
    )


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _BadServer) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client_of_server(server):
    return _client(server)


@pytest.fixture
def bad_server(server, monkeypatch):
    for name, value in {"status": 200, "code": "", "body": b"", "declared": None, "requests": 0}.items():
        monkeypatch.setattr(_BadServer, name, value)
    return _BadServer


@pytest.fixture
def bad_lake(bad_server, client_of_server, tmp_path):
    return S3Lake(client_of_server, "a-lake", "root", cache=tmp_path / "cache")


CALLS = [
    lambda lake, _: lake.read("a/b"),
    lambda lake, _: lake.read_range("a/b", 0, 3),
    lambda lake, _: lake.write("a/b", b"1"),
    lambda lake, file: lake.upload(file, "a/b"),
    lambda lake, _: lake.local_path("a/b"),
    lambda lake, _: lake.exists("a/b"),
    lambda lake, _: lake.list_keys("a"),
    lambda lake, _: lake.move("a/b", "a/c"),
    lambda lake, _: lake.delete("a/b"),
]


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (500, "InternalError", TransientFailure, "try again"),
        (503, "SlowDown", TransientFailure, "try again"),
        (429, "Throttling", TransientFailure, "try again"),
        (409, "OperationAborted", TransientFailure, "try again"),
        (403, "AccessDenied", PermanentFailure, "check the credentials"),
        (400, "InvalidRequest", PermanentFailure, "S3 answered 400"),
    ],
)
def test_each_answer_is_a_failure_of_its_kind(bad_server, bad_lake, status, code, kind, says, tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    bad_server.status, bad_server.code = status, code
    for call in CALLS:
        with pytest.raises(FootfallError, match=says) as caught:
            call(bad_lake, tmp_path / "file")
        assert isinstance(caught.value, kind)
        assert "s3://a-lake/root/a" in str(caught.value)
        assert "testing" not in str(caught.value)


def test_a_timed_out_request_is_worth_another_try_though_its_status_is_400(bad_server, bad_lake):
    bad_server.status, bad_server.code = 400, "RequestTimeout"
    with pytest.raises(TransientFailure):
        bad_lake.read("a/b")


def test_a_server_that_is_not_there_is_worth_another_try(tmp_path):
    (tmp_path / "file").write_bytes(b"1")
    lake = S3Lake(_client("http://127.0.0.1:9"), "a-lake", "", cache=tmp_path / "cache")
    for call in CALLS:
        with pytest.raises(TransientFailure, match="try again"):
            call(lake, tmp_path / "file")


@pytest.mark.parametrize("got", [0, 1, 999])
@pytest.mark.parametrize("name", ["read", "read_range", "local_path"])
def test_a_short_body_is_noticed(bad_server, bad_lake, name, got, tmp_path):
    bad_server.body, bad_server.declared = b"x" * got, 1000
    arguments = (0, 1000) if name == "read_range" else ()
    with pytest.raises(TransientFailure):
        getattr(bad_lake, name)("a/b", *arguments)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_server_that_ignores_ranges_is_noticed(bad_server, bad_lake):
    bad_server.body = b"0123456789"
    with pytest.raises(PermanentFailure, match="ranges"):
        bad_lake.read_range("a/b", 2, 3)


def test_without_credentials_the_message_names_the_settings(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(PermanentFailure, match="boto3's settings"):
        S3Lake.from_address("s3://a-lake/root", cache=tmp_path).read("a")


def test_timeouts_and_tries_are_bounded(server, bad_server, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server)
    monkeypatch.setattr("time.sleep", lambda _: None)
    lake = S3Lake.from_address("s3://a-lake/root", cache=tmp_path)
    config = lake._client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    bad_server.status, bad_server.code = 503, "SlowDown"
    with pytest.raises(TransientFailure):
        lake.read("a/b")
    assert bad_server.requests == MOST_ATTEMPTS
