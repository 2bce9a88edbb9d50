"""Builds the parts of a drive from the settings."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from cloud_apis.contract import API_KEY_HEADER, is_open_way
from edge_client.config import ApiSettings, EdgeSettings
from edge_client.counters import Counters
from edge_client.errors import ConfigError
from edge_client.paths import is_file
from edge_client.positions.open import open_positions
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import Apis, PlateApis
from edge_client.requests.embedded import EmbeddedApis
from edge_client.requests.endpoints import STARTING, Endpoints, FixedEndpoints
from edge_client.requests.fallback import FallbackApis, can_embed
from edge_client.requests.routes import RouteWatch
from edge_client.requests.routing import WayOut
from edge_client.requests.transport import Transport
from edge_client.types import Fix, PositionSource

_LOG = logging.getLogger(__name__)
_KEY_VARIABLE = "DASHCAM_API_KEY"
_CA_VARIABLE = "DASHCAM_CA_FILE"


def positions_of(settings: EdgeSettings, on_fix: Callable[[Fix], None]) -> PositionSource:
    """The source of positions, begun; ``on_fix`` gets each fix of a receiver as it comes, from its thread."""
    return open_positions(settings.positions, on_fix)


def endpoints_of(
    settings: ApiSettings, stop: threading.Event, stack: ExitStack, *, wait: bool = True, vehicles: bool = False
) -> Endpoints | None:
    """The configured endpoints, or those of a child process; None when ``stop`` came before it was ready.

    Without ``wait`` the child is only begun: its endpoints come when it is ready. It describes ``vehicles`` if wanted.
    """
    if settings.yolov3_endpoint is not None and settings.crnn_endpoint is not None:
        return FixedEndpoints(settings.yolov3_endpoint, settings.crnn_endpoint, settings.vehicle_report_endpoint)
    embedded = EmbeddedApis(settings, vehicles=vehicles)
    stack.callback(embedded.close)
    if not wait:
        _LOG.info("%s; the drive begins meanwhile", STARTING)
        embedded.begin()
        return embedded
    return embedded if embedded.start(stop) else None


def transport_of(settings: EdgeSettings, key: str | None) -> Transport:
    """What carries requests to the configured APIs: with the key, the trust and the way out that are set.

    Raises `ConfigError` for certificates that cannot be had.
    """
    apis = settings.apis
    ca_file = ca_file_of(apis)
    return Transport(
        settings.pool,
        {API_KEY_HEADER: key} if key is not None else None,
        str(ca_file) if ca_file is not None else None,
        WayOut(apis.interface, apis.source_address),
    )


def apis_of(
    settings: EdgeSettings,
    endpoints: Endpoints,
    transport: Transport,
    counters: Counters,
    adaptation: Adaptation,
    stack: ExitStack,
    *,
    patient: bool,
) -> Apis:
    """The APIs behind these endpoints, asked anew when this machine's routes change.

    With ``offline: embedded``, ones on the device stand in for configured ones that cannot be reached.
    """
    far = PlateApis(
        endpoints,
        transport,
        settings.pool,
        counters,
        patient=patient,
        adaptation=adaptation,
        vehicles=settings.vehicles.enabled,
    )
    endpoints.subscribe(far.network_changed)
    if settings.apis.yolov3_endpoint is None:
        return far
    stack.callback(RouteWatch(far.network_changed).close)
    if settings.offline.mode != "embedded":
        return far
    if not can_embed():
        _LOG.warning("offline: embedded needs the extra `cloud` on this device; evidence is kept for later instead")
        return far
    fallback = FallbackApis(far, settings, counters, adaptation)
    stack.callback(fallback.end)
    return fallback


def api_key_of(settings: ApiSettings) -> str | None:
    """The APIs' key from the environment or its file; None without one.

    Raises `ConfigError` for a key that cannot be had or sent, or that others on the way would see.
    """
    key = os.environ.get(_KEY_VARIABLE, "").strip()
    if not key and settings.api_key_file is not None:
        try:
            key = settings.api_key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"cannot read the API key file {settings.api_key_file}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"the API key file {settings.api_key_file} is not text") from None
        if not key:
            raise ConfigError(f"the API key file {settings.api_key_file} is empty")
    if key and not (key.isascii() and key.isprintable()):
        raise ConfigError("the API key must be printable ASCII")
    if key and not settings.key_unencrypted:
        _refuse_open_ways(settings)
    return key or None


def ca_file_of(settings: ApiSettings) -> Path | None:
    """The certificates to trust for the APIs instead of the usual ones, from the environment or as set; None for those.

    Raises `ConfigError` for a file that is not there or holds no certificates.
    """
    named = os.environ.get(_CA_VARIABLE, "").strip()
    ca_file = Path(named) if named else settings.ca_file
    if ca_file is None:
        return None
    key = _CA_VARIABLE if named else "apis.ca_file"
    if not is_file(ca_file):
        raise ConfigError(f"there is no file of certificates {ca_file}; see {key}")
    try:
        ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:
        reason = "it holds no certificates (PEM)" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(f"cannot use the certificates in {ca_file}: {reason}; see {key}") from None
    return ca_file


def _refuse_open_ways(settings: ApiSettings) -> None:
    for url in (settings.yolov3_endpoint, settings.crnn_endpoint, settings.vehicle_report_endpoint):
        if url is not None and is_open_way(url):
            raise ConfigError(
                f"the API key would go to {urlsplit(url).hostname} unencrypted: ask by https:// (apis.ca_file trusts a "
                "certificate of your own), or, in a network that is yours alone, set apis.key_unencrypted: true"
            )
