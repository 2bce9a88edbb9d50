"""The command, as a process: options, refusals in one line, and an orderly end."""

from __future__ import annotations

import ipaddress
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.cloud_apis.pictures import grey_jpeg, scene
from tests.cloud_apis.serving import REPOSITORY, command, serving, write_config

PICTURE = grey_jpeg(scene())
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def config(tmp_path: Path, models: Path) -> Path:
    return write_config(tmp_path, models)


def fails(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    process = command(*arguments, env=env)
    output, errors = process.communicate(timeout=60)
    assert output == ""
    assert "Traceback" not in errors
    return process.returncode, errors


def refused(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    code, errors = fails("serve", *arguments, env=env)
    assert errors.startswith("cloud-apis: error: "), errors
    assert errors.count("\n") == 1
    return code, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_ends_it_in_order(config: Path, tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "port"
    with serving(config, "--port-file", str(port_file)) as (url, process):
        assert port_file.read_text() == url.rsplit(":", 1)[1] + "\n"
        with requests.Session() as session:  # its connection stays open
            assert len(session.post(f"{url}/yolov3", data=PICTURE, headers=JPEG, timeout=30).json()["boxes"]) == 1
            process.send_signal(number)
            process.send_signal(signal.SIGTERM)  # as from a parent, after the terminal's
            assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_it_ends_with_its_parent(config: Path, tmp_path: Path) -> None:
    """A parent that is killed cannot tidy up; its server must not live on."""
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'cloud_apis', *sys.argv[1:]], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    arguments = ["serve", "--config", str(config), "--port", "0", "--exit-with-parent"]
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    try:
        assert select.select([server], [], [], 30)[0] == [server]
    finally:
        os.close(server)


def test_a_parent_that_is_gone_already_is_noticed(config: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    process = command("serve", "--config", str(config), "--port", "0", "--exit-with-parent", str(gone.pid))
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_an_address_that_others_can_reach_needs_a_key(config: Path) -> None:
    code, errors = refused("--config", str(config), "--port", "0", "--host", "0.0.0.0")
    assert code == 2
    assert "--api-key-file" in errors


def test_the_key_comes_from_a_file_or_the_environment(config: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("from the file\n")
    by_file = ["--api-key-file", str(key_file)]
    other = {"CLOUD_APIS_KEY": "from the environment"}
    for arguments, key in ((["--host", "0.0.0.0"], "from the environment"), (by_file, "from the file")):
        with serving(config, *arguments, env=other) as (address, process):
            url = address.replace("0.0.0.0", "127.0.0.1")
            assert requests.get(f"{url}/v2/health/ready", timeout=30).ok
            assert requests.get(f"{url}/metrics", timeout=30).status_code == 401
            assert requests.get(f"{url}/metrics", headers={"X-API-Key": key}, timeout=30).ok
            process.terminate()
            output, errors = process.communicate(timeout=30)
            assert key not in output + errors


def test_a_key_that_is_none_is_refused(config: Path, tmp_path: Path) -> None:
    assert refused("--config", str(config), "--api-key-file", str(tmp_path / "absent"))[0] == 2
    assert refused("--config", str(config), env={"CLOUD_APIS_KEY": ""})[0] == 2


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for the loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    certfile, keyfile = folder / "cert.pem", folder / "key.pem"
    certfile.write_bytes(signed.public_bytes(Encoding.PEM))
    keyfile.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certfile, keyfile


def test_it_serves_https(config: Path, tmp_path: Path) -> None:
    certfile, keyfile = certificate(tmp_path)
    with serving(config, "--certfile", str(certfile), "--keyfile", str(keyfile)) as (url, _):
        assert url.startswith("https://127.0.0.1:")
        assert requests.get(f"{url}/v2/health/live", verify=str(certfile), timeout=30).ok
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{url}/v2/health/live", timeout=30)
        port = int(url.rsplit(":", 1)[1])
        context = ssl.create_default_context(cafile=str(certfile))
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            assert (secured.version() or "") >= "TLSv1.2"


def test_a_certificate_that_is_none_is_refused(config: Path, tmp_path: Path) -> None:
    nonsense = tmp_path / "cert.pem"
    nonsense.write_text("nonsense")
    for arguments in (["--certfile", str(nonsense)], ["--certfile", str(tmp_path / "absent.pem")]):
        assert refused("--config", str(config), "--port", "0", *arguments)[0] == 1
    assert refused("--config", str(config), "--keyfile", str(nonsense))[0] == 2


def test_a_port_in_use_is_told(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, errors = refused("--config", str(config), "--port", str(taken.getsockname()[1]))
    assert code == 1
    assert "in use" in errors


def test_missing_models_and_wrong_settings_are_told(config: Path, tmp_path: Path, models: Path) -> None:
    code, errors = refused("--config", str(write_config(tmp_path, tmp_path)), "--port", "0")
    assert code == 1
    assert "yolov3.json does not exist" in errors
    code, errors = refused("--config", str(write_config(tmp_path, models, yolov3__obj_tresh=0.5)))
    assert code == 2
    assert "yolov3.obj_tresh: there is no such setting" in errors
    assert refused("--config", str(tmp_path / "absent.yaml"))[0] == 2


def test_an_unknown_region_is_told_with_the_known_ones(config: Path, tmp_path: Path, models: Path) -> None:
    code, errors = refused("--config", str(config), "--region", "GB", "--region", "Utopia")
    assert code == 2
    assert "'UTOPIA'; known are" in errors
    assert "GB" in errors
    folder = tmp_path / "other"
    folder.mkdir()
    other = write_config(folder, models, crnn__regions=["XX"])
    assert refused("--config", str(other))[0] == 2


def test_regions_may_be_named_on_the_command_line(config: Path) -> None:
    with serving(config, "--region", "gb", "--region", "US-CA") as (url, _):
        assert requests.get(f"{url}/v2/health/ready", timeout=30).json() == {"ready": True}


def test_a_port_file_that_cannot_be_written_is_told(config: Path, tmp_path: Path) -> None:
    code, errors = refused("--config", str(config), "--port", "0", "--port-file", str(tmp_path / "no" / "port"))
    assert code == 1
    assert "cannot write the port file" in errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "x"],
        ["serve", "--nothing"],
        ["serve", "--log-level", "x"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    code, errors = fails(*arguments)
    assert code == 2
    assert "usage: cloud-apis" in errors
