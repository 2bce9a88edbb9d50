"""Where the APIs answer, as `config/edge.yaml` wants it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cloud_apis.names import Api

_KEYS = {Api.YOLOV3: "yolov3_endpoint", Api.CRNN: "crnn_endpoint"}


def endpoints(base_url: str, names: Iterable[str]) -> dict[str, str]:
    """URL of each API by its name."""
    return {name: f"{base_url.rstrip('/')}/{name}" for name in names}


def edge_settings(urls: Mapping[str, str]) -> str:
    """The lines for `config/edge.yaml`; other APIs than those that a dashcam asks are comments."""
    keys = {name: _KEYS.get(Api(name)) for name in urls}
    lines = [f"  {keys[name]}: {url}" for name, url in urls.items() if keys[name]]
    others = [f"# {name}: {url}" for name, url in urls.items() if not keys[name]]
    return "\n".join([*(["apis:", *lines] if lines else []), *others, ""])
