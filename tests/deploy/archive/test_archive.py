"""The code archive: the same bytes everywhere, all that a replica imports, nothing else."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.archive.archive import code_archive, pack
from deploy.archive.contents import collect, package_roots
from deploy.archive.store import code_key, code_uri, publish, require
from deploy.errors import MissingError, SettingsError
from deploy.registry.objects import Place
from deploy.registry.registry import Registry


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    copies = {}
    for name, root in package_roots().items():
        ignored = shutil.ignore_patterns("__pycache__", "*.onnx")
        copies[name] = Path(shutil.copytree(root, tmp_path / name, ignore=ignored))
    for path in tmp_path.rglob("*"):
        path.chmod(0o700)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    (tmp_path / "cloud_apis" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "cloud_apis" / "__pycache__" / "server.cpython-311.pyc").write_bytes(b"compiled")
    (tmp_path / "cloud_apis" / "models" / "other.onnx").write_bytes(b"a model")
    (tmp_path / "config" / "deploy.yaml").write_text("# changed by the operator\n")
    assert pack(collect(copies)) == code_archive()
    (tmp_path / "cloud_apis" / "server.py").write_text("# another version\n")
    assert pack(collect(copies)).sha256 != code_archive().sha256


def test_an_archive_states_no_time_user_or_machine() -> None:
    archive = pack({"b.py": b"2", "a/c.py": b"1"})
    assert archive.sha256 == "654d4d5d0d830371c7619d9e5fec67954f7dd0eef97f2d229b8b9782010c915b"
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        assert opened.namelist() == ["a/c.py", "b.py"]
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_holds_no_models_and_little_else() -> None:
    with zipfile.ZipFile(io.BytesIO(code_archive().data)) as opened:
        names = opened.namelist()
    assert "cloud_apis/web/docs.html" in names and "config/apis.yaml" in names
    assert not [name for name in names if name.endswith((".onnx", ".pyc")) or name.startswith("deploy/commands")]
    assert "config/deploy.yaml" not in names
    assert len(code_archive().data) < 2_000_000


def test_a_replica_imports_all_that_it_needs_from_it_alone(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code_archive().data)) as opened:
        opened.extractall(tmp_path)
    modules = sorted(
        ".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__")
        for path in tmp_path.glob("deploy/**/*.py")
    )
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nimport cloud_apis.web.app"
    _run_from(tmp_path, script, *modules)


def _run_from(code: Path, script: str, *arguments: str) -> str:
    """What a script prints in an interpreter that finds this code alone."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(code)},
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _with_a_model_of_ones_own(tmp_path: Path) -> Path:
    shipped = (package_roots()["config"] / "catalogue.csv").read_text(encoding="utf-8")
    file = tmp_path / "cars.csv"
    file.write_text(shipped + "acme,rocket,fuels,hydrogen,,,,https://example.org/rocket\n", encoding="utf-8")
    return file


def test_a_catalogue_of_ones_own_is_what_a_replica_reads(tmp_path: Path) -> None:
    archive = code_archive(_with_a_model_of_ones_own(tmp_path))
    assert archive.sha256 != code_archive().sha256
    assert code_archive(package_roots()["config"] / "catalogue.csv") == code_archive()
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        opened.extractall(tmp_path / "code")
    script = (
        "from cloud_apis.settings import load_settings\n"
        "from cloud_apis.catalogue.table import load_catalogue\n"
        "print(load_catalogue(load_settings().catalogue).facts_of('acme', 'rocket'))"
    )
    printed = _run_from(tmp_path / "code", script)
    assert "hydrogen" in printed


def test_a_catalogue_that_is_wrong_is_not_sent(tmp_path: Path) -> None:
    file = _with_a_model_of_ones_own(tmp_path)
    file.write_text(file.read_text(encoding="utf-8") + "acme,rocket,wings,two,,,,https://example.org\n")
    with pytest.raises(SettingsError, match=r"^catalogue: .*cars\.csv: line \d+"):
        code_archive(file)
    with pytest.raises(SettingsError, match="cannot read the catalogue"):
        code_archive(tmp_path / "none.csv")


def test_rays_nodes_fetch_it_from_an_endpoint_that_their_environment_names(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    protocol = pytest.importorskip("ray._private.runtime_env.protocol", reason="the ray extra is not installed")
    archive, place = pack({"a.py": b"1"}), registry.objects.place
    publish(registry.objects, archive)
    uri, fetched = code_uri(place, archive.sha256), tmp_path / "code.zip"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", str(place.endpoint_url))
    protocol.Protocol.S3.download_remote_uri(uri, str(fetched))
    assert fetched.read_bytes() == archive.data

    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    told = tmp_path / "aws-config"
    told.write_text(f"[default]\nendpoint_url = {place.endpoint_url}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(told))
    fetched.unlink()
    protocol.Protocol.S3.download_remote_uri(uri, str(fetched))
    assert fetched.read_bytes() == archive.data


def test_it_is_sent_once(registry: Registry) -> None:
    archive = pack({"a.py": b"1"})
    assert publish(registry.objects, archive) == len(archive.data)
    assert publish(registry.objects, archive) == 0
    assert registry.objects.read(code_key(archive.sha256), 10_000) == archive.data
    require(registry.objects, archive.sha256)
    for gone in ("0" * 64, "../secret"):
        with pytest.raises(MissingError, match="not in s3://"):
            require(registry.objects, gone)


def test_where_ray_finds_it() -> None:
    assert code_uri(Place("bucket", "plates"), "ab") == "s3://bucket/plates/code/ab.zip"
