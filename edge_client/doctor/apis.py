"""The prediction APIs: ready, how far away, trusted, and is our key theirs?"""

from __future__ import annotations

import importlib.util
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests
import simplejpeg

from cloud_apis.contract import API_KEY_HEADER, YOLOV3_PATH, is_loopback
from edge_client.assembly import api_key_of, ca_file_of
from edge_client.config import ApiSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.errors import DashcamError
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.routing import RoutedAdapter, WayOut

_API_MODULES = ("cloud_apis", "fastapi", "onnxruntime", "uvicorn")
_READY_PATH, _LIVE_PATH = "/v2/health/ready", "/v2/health/live"
_TIMEOUT_S = 5.0
_TRIES = 3
_FAR_S = 0.8
_CERTIFICATE_DAYS = 14


def apis(settings: ApiSettings, *, vehicles: bool = False) -> Iterator[Finding]:
    """Findings about the APIs that the settings name, or about the embedded ones; ``vehicles``: are cars described?"""
    detector, reader = settings.yolov3_endpoint, settings.crnn_endpoint
    if detector is None or reader is None:
        yield _embedded()
        return
    try:
        key = api_key_of(settings)
    except DashcamError as e:
        yield Finding("API key", Verdict.WRONG, str(e), "write the key into that file, or set DASHCAM_API_KEY")
        return
    try:
        ca_file = ca_file_of(settings)
    except DashcamError as e:
        yield Finding("prediction APIs", Verdict.WRONG, str(e), "correct apis.ca_file, or DASHCAM_CA_FILE before it")
        return
    with closing(_session(settings, detector, ca_file)) as session:
        ready = True
        for url, endpoint in {_place(u): u for u in (reader, detector)}.items():
            finding = _ready(session, url, endpoint, WayOut(settings.interface, settings.source_address))
            ready = ready and finding.verdict is not Verdict.WRONG
            yield finding
            if url.startswith("https://") and (finding_of_certificate := _certificate(url, ca_file)) is not None:
                yield finding_of_certificate
        if ready:
            yield _key(session, detector, key)
            if vehicles:
                report = FixedEndpoints(detector, reader, settings.vehicle_report_endpoint).report_url()
                yield _report(_post(session, report, key))


def _embedded() -> Finding:
    missing = [name for name in _API_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        advice = "install the extra `cloud`, or name endpoints: --yolov3-endpoint and --crnn-endpoint"
        return Finding("prediction APIs", Verdict.WRONG, f"embedded, but missing: {', '.join(missing)}", advice)
    return Finding("prediction APIs", Verdict.OK, "embedded: started with each drive")


def _session(settings: ApiSettings, url: str, ca_file: Path | None) -> requests.Session:
    session = requests.Session()
    adapter = RoutedAdapter(WayOut(settings.interface, settings.source_address))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    if ca_file is not None:
        session.verify = str(ca_file)
    session.trust_env = not is_loopback(urlsplit(url).hostname or "")
    return session


def _ready(session: requests.Session, base: str, endpoint: str, way_out: WayOut) -> Finding:
    name = urlsplit(base).netloc
    try:
        answer = session.get(base + _READY_PATH, timeout=_TIMEOUT_S)
        if answer.status_code == requests.codes.not_found:  # on a cluster each API has its own below its path
            base = endpoint.rstrip("/")
            answer = session.get(base + _READY_PATH, timeout=_TIMEOUT_S)
        spans = []
        for _ in range(_TRIES):
            start_s = time.perf_counter()
            session.get(base + _LIVE_PATH, timeout=_TIMEOUT_S)
            spans.append(time.perf_counter() - start_s)
    except requests.exceptions.SSLError as e:
        return Finding("prediction APIs", Verdict.WRONG, f"{name}: bad certificate: {_short(e)}", _trust_advice())
    except requests.ConnectionError as e:
        why = way_out.explain(str(e)) or f"{name} does not answer"
        advice = "start them, or correct their addresses; is the modem up (way out)?"
        return Finding("prediction APIs", Verdict.WRONG, why, advice)
    except requests.Timeout:
        told = f"{name} did not answer within {_TIMEOUT_S:.0f} s"
        return Finding("prediction APIs", Verdict.WRONG, told, "try again where reception is better")
    except (requests.RequestException, OSError) as e:
        return Finding("prediction APIs", Verdict.WRONG, f"{name}: {_short(e)}", "correct apis.* in the settings")
    if answer.status_code != requests.codes.ok:
        told = f"{name} is not ready: status {answer.status_code}"
        return Finding("prediction APIs", Verdict.WRONG, told, "wait a moment, then look at the APIs' log")
    told = f"{name} ready, round trip {min(spans) * 1000:.0f} ms"
    if min(spans) > _FAR_S:
        return Finding("prediction APIs", Verdict.NOTE, told, "boxes come late: take APIs that are nearer")
    return Finding("prediction APIs", Verdict.OK, told)


def _key(session: requests.Session, detector: str, key: str | None) -> Finding:
    url = detector if urlsplit(detector).path.rstrip("/").endswith(YOLOV3_PATH) else detector.rstrip("/") + YOLOV3_PATH
    status = _post(session, url, key)
    if isinstance(status, str):
        return Finding("API key", Verdict.NOTE, f"could not be tried: {status}", "try again")
    said = "with a key" if key is not None else "without a key"
    if status == requests.codes.ok:
        return Finding("API key", Verdict.OK, f"a request {said} is answered")
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        advice = "set DASHCAM_API_KEY (for the service in /etc/dashcam/environment) or apis.api_key_file"
        return Finding("API key", Verdict.WRONG, f"a request {said} is refused", advice)
    if status == requests.codes.service_unavailable:
        return Finding("API key", Verdict.NOTE, "the APIs are busy; the key was not tried", "try again")
    return Finding(
        "API key", Verdict.WRONG, f"a request {said} gets status {status}", "is this the detector's address?"
    )


def _report(status: int | str) -> Finding:
    if status == requests.codes.ok:
        return Finding("cars", Verdict.OK, "the APIs tell type, colour, make and model (vehicle-report)")
    if status in (requests.codes.not_found, requests.codes.method_not_allowed):
        told = "the APIs do not offer vehicle-report: cars are not described, plates are read as ever"
        return Finding(
            "cars", Verdict.NOTE, told, "serve it too (--api vehicle-report), or set vehicles.enabled: false"
        )
    told = f"vehicle-report gets status {status}" if isinstance(status, int) else f"vehicle-report: {status}"
    return Finding("cars", Verdict.NOTE, told, "look at the APIs' log, or set vehicles.enabled: false")


def _post(session: requests.Session, url: str, key: str | None) -> int | str:
    """Sends one small grey picture, with the key; gives the status of the answer, or why there is none."""
    picture = simplejpeg.encode_jpeg(np.full((64, 64, 1), 128, np.uint8), colorspace="GRAY")
    headers = {"Content-Type": "image/jpeg"} | ({API_KEY_HEADER: key} if key is not None else {})
    try:
        return session.post(url, data=picture, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False).status_code
    except requests.RequestException as e:
        return _short(e)


def _certificate(base: str, ca_file: Path | None) -> Finding | None:
    """How long the certificate holds; None where the connection itself fails, which is another finding."""
    parts = urlsplit(base)
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file is not None else None)
        address = (parts.hostname or "", parts.port or 443)
        with (
            socket.create_connection(address, timeout=_TIMEOUT_S) as raw,
            context.wrap_socket(raw, server_hostname=parts.hostname) as secure,
        ):
            certificate = secure.getpeercert() or {}
    except OSError:
        return None
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (end - datetime.now(UTC)).days
    told = f"{parts.hostname}: holds until {end:%Y-%m-%d}"
    if days < _CERTIFICATE_DAYS:
        return Finding("certificate", Verdict.NOTE, f"{told}, {days} days", "renew it where the APIs run")
    return Finding("certificate", Verdict.OK, told)


def _trust_advice() -> str:
    return "name the CA's file (apis.ca_file); if the clock is wrong, set it first: certificates have dates"


def _place(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


def _short(error: Exception) -> str:
    """An error without the object addresses and URLs that libraries wrap it in."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    return getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(cause).__name__
