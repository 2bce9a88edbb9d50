"""The picture of a deployment as tables for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.status.picture import ApiStatus, NodeStatus, Picture

_COLOURS = {"RUNNING": "green", "DEPLOYING": "yellow", "DELETING": "yellow"}
_NONE = "–"


def tables(shown: Picture, endpoints: str) -> RenderableType:
    """Everything, from the revision to the lines for the dashcam."""
    parts: list[RenderableType] = [Text(_headline(shown))]
    if shown.apis:
        parts.append(_apis(shown.apis))
        parts += [Text(f"{api.name}: {api.note}", style="yellow") for api in shown.apis if api.note]
        if all(api.traffic is None for api in shown.apis):
            parts.append(
                Text("the nodes' figures (ports of their own) cannot be reached from this machine", style="dim")
            )
    parts.append(_nodes(shown.nodes))
    if endpoints:
        parts.append(Text("for config/edge.yaml of the dashcam:", style="dim"))
        parts.append(Text(endpoints.rstrip()))
    return Group(*parts)


def _headline(shown: Picture) -> str:
    if shown.revision is None:
        return f"{shown.deployment}: " + ("runs, but not by a revision" if shown.apis else "nothing was ever deployed")
    told = shown.revision
    when = f"{told.applied:%Y-%m-%d %H:%M:%S} UTC"
    line = f"{shown.deployment}: revision {told.number} ({told.reason}) of {when} by {told.by}"
    return line if shown.exact else f"{line}; what runs differs from it: `cloud-deploy deploy --plan` shows how"


def _apis(apis: tuple[ApiStatus, ...]) -> Table:
    table = Table("API", "state", "replicas", "on", "requests/s", "p50 ms", "p99 ms", "errors/s", "503/s", "in hand")
    for api in apis:
        on = ", ".join(f"{ip}: {count}" for ip, count in api.nodes) or _NONE
        state = Text(api.state, style=_COLOURS.get(api.state, "red"))
        table.add_row(api.name, state, f"{api.running} of {api.wanted}", on, *_figures(api))
    return table


def _figures(api: ApiStatus) -> tuple[str, ...]:
    traffic = api.traffic
    if traffic is None:
        return (_NONE,) * 6
    return (
        f"{traffic.requests_hz:.1f}",
        _ms(traffic.p50_ms),
        _ms(traffic.p99_ms),
        f"{traffic.errors_hz:.2f}",
        f"{traffic.refused_hz:.2f}",
        str(traffic.in_hand),
    )


def _nodes(nodes: tuple[NodeStatus, ...]) -> Table:
    table = Table("node", "", "replicas", "cores", "busy", "memory", "GPUs")
    for each in nodes:
        usage = each.usage
        gpus = [
            f"{g.name} {_percent(g.busy_percent)} {g.used_mb}/{g.total_mb} MB" for g in (usage.gpus if usage else ())
        ]
        table.add_row(
            each.node.ip,
            "head" if each.node.head else "",
            str(each.replicas),
            f"{each.node.cpus:g}",
            _percent(usage.cpu_percent if usage else None),
            _percent(usage.memory_percent if usage else None),
            ", ".join(gpus) or (f"{each.node.gpus:g}" if each.node.gpus else _NONE),
        )
    return table


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f}"


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f} %"
