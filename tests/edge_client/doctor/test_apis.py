"""The doctor asks real servers on loopback."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edge_client.assembly import transport_of
from edge_client.config import ApiSettings, EdgeSettings
from edge_client.doctor.apis import apis
from edge_client.doctor.finding import Finding, Verdict
from edge_client.errors import ApiGarbageError, ConfigError
from edge_client.requests.transport import Body
from tests.edge_client.fake_apis import Answer, FakeApis, fake_apis

KEY = "correct horse battery"


def settings(url: str, **more: object) -> ApiSettings:
    return ApiSettings.model_validate({"yolov3_endpoint": url, "crnn_endpoint": url, **more})


def examined(url: str, **more: object) -> dict[str, Finding]:
    return {finding.part: finding for finding in apis(settings(url, **more))}


@pytest.fixture
def behaviour(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApis]:
    monkeypatch.delenv("DASHCAM_API_KEY", raising=False)
    with fake_apis() as served:
        yield served


def test_ready_apis_and_how_far_they_are(behaviour: FakeApis) -> None:
    found = examined(behaviour.url)
    assert {f.verdict for f in found.values()} == {Verdict.OK}
    assert "round trip" in found["prediction APIs"].found
    assert "without a key" in found["API key"].found
    assert behaviour.bodies[0].startswith(b"\xff\xd8")


def test_the_key_is_tried_and_not_told(behaviour: FakeApis, tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY, "utf-8")
    found = examined(behaviour.yolov3, api_key_file=key_file)
    assert found["API key"].verdict is Verdict.OK
    assert behaviour.headers[0]["X-API-Key"] == KEY
    behaviour.instead = lambda path, _n: Answer(401) if path == "/yolov3" else None
    refused = examined(behaviour.url, api_key_file=key_file)["API key"]
    assert refused.verdict is Verdict.WRONG
    assert "with a key is refused" in refused.found
    assert KEY not in refused.found + refused.advice
    key_file.unlink()
    assert "cannot read" in examined(behaviour.url, api_key_file=key_file)["API key"].found


@pytest.mark.parametrize(
    ("path", "status", "part", "verdict"),
    [
        ("/v2/health/ready", 503, "prediction APIs", Verdict.WRONG),
        ("/yolov3", 403, "API key", Verdict.WRONG),
        ("/yolov3", 404, "API key", Verdict.WRONG),
        ("/yolov3", 503, "API key", Verdict.NOTE),
    ],
)
def test_what_is_answered_is_told_apart(
    behaviour: FakeApis, path: str, status: int, part: str, verdict: Verdict
) -> None:
    behaviour.instead = lambda asked, _n: Answer(status) if asked == path else None
    finding = examined(behaviour.url)[part]
    assert finding.verdict is verdict
    assert finding.advice


def test_apis_of_a_cluster_are_asked_below_their_own_paths(behaviour: FakeApis) -> None:
    behaviour.instead = lambda asked, _n: Answer(404) if asked.startswith("/v2/") else None
    found = examined(f"{behaviour.url}/yolov3")
    assert found["prediction APIs"].verdict is Verdict.OK
    behaviour.instead = lambda asked, _n: Answer(404) if asked.endswith("/ready") else None
    assert examined(f"{behaviour.url}/yolov3")["prediction APIs"].verdict is Verdict.WRONG


def test_they_are_asked_by_the_way_out_of_the_settings(behaviour: FakeApis) -> None:
    assert examined(behaviour.url, source_address="127.0.0.2")["prediction APIs"].verdict is Verdict.OK
    away = examined(behaviour.url, source_address="192.0.2.7")["prediction APIs"]
    assert away.verdict is Verdict.WRONG
    assert "192.0.2.7" in away.found


def test_nobody_there() -> None:
    found = examined("http://127.0.0.1:9")
    assert list(found) == ["prediction APIs"]
    assert "does not answer" in found["prediction APIs"].found


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{days}.pem", folder / f"{days}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_file, key_file


class Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def https(cert_file: Path, key_file: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert_file, key_file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Well)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"https://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("days", "verdict"), [(90, Verdict.OK), (5, Verdict.NOTE)])
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, days: int, verdict: Verdict) -> None:
    files = certificate(tmp_path, days)
    with https(*files) as url:
        found = examined(url, ca_file=files[0])
    assert found["prediction APIs"].verdict is Verdict.OK
    assert found["certificate"].verdict is verdict
    assert "localhost: holds until" in found["certificate"].found


def test_the_environment_names_the_certificates_before_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, none = certificate(tmp_path, 90), tmp_path / "none.pem"
    with https(*files) as url:
        drive = EdgeSettings(apis=settings(url, ca_file=none))
        with pytest.raises(ConfigError, match=r"none\.pem; see apis\.ca_file"):
            transport_of(drive, None)
        finding = examined(url, ca_file=none)["prediction APIs"]
        assert (finding.verdict, "none.pem" in finding.found) == (Verdict.WRONG, True)
        monkeypatch.setenv("DASHCAM_CA_FILE", str(files[0]))
        with pytest.raises(ApiGarbageError):  # trusted: what this server answers is no JSON
            transport_of(drive, None).post(f"{url}/yolov3", Body(b"jpeg", "image/jpeg"))
        assert examined(url, ca_file=none)["certificate"].verdict is Verdict.OK
        monkeypatch.setenv("DASHCAM_CA_FILE", str(none))
        with pytest.raises(ConfigError, match=r"none\.pem; see DASHCAM_CA_FILE"):
            transport_of(EdgeSettings(apis=settings(url, ca_file=files[0])), None)


@pytest.mark.parametrize("days", [90, -1])
def test_a_bad_certificate_is_told_with_its_reason(tmp_path: Path, days: int) -> None:
    files = certificate(tmp_path, days)
    with https(*files) as url:
        finding = examined(url, **({"ca_file": files[0]} if days < 0 else {}))["prediction APIs"]
    assert finding.verdict is Verdict.WRONG
    assert ("expired" if days < 0 else "self-signed certificate") in finding.found
    assert "ca_file" in finding.advice


@pytest.mark.parametrize(
    ("status", "verdict", "told"),
    [(200, Verdict.OK, "make and model"), (404, Verdict.NOTE, "do not offer"), (503, Verdict.NOTE, "status 503")],
)
def test_whether_cars_are_described(behaviour: FakeApis, status: int, verdict: Verdict, told: str) -> None:
    behaviour.instead = lambda path, _n: Answer(status) if path == "/vehicle-report" else None
    found = {f.part: f for f in apis(settings(behaviour.url), vehicles=True)}
    assert found["cars"].verdict is verdict
    assert told in found["cars"].found
    assert bool(found["cars"].advice) is (verdict is not Verdict.OK)
    assert "cars" not in examined(behaviour.url)  # where nobody asks
