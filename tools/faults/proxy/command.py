"""`python -m tools.faults proxy`: the proxy as a command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from cloud_apis.errors import StartError
from tools.faults.proxy.fault import Fault
from tools.faults.proxy.schedule import EXAMPLE, KINDS, Schedule, read_schedule
from tools.faults.proxy.server import Proxy

_COMMON = ("from_s", "to_s", "share", "fault")


def add_proxy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "proxy",
        help="a proxy before the APIs that breaks what passes",
        description="Passes HTTP requests on to the APIs and their answers back, and breaks them as a schedule says.",
        epilog=_taught(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("schedule", type=Path, metavar="SCHEDULE", help="YAML file, described below")
    parser.add_argument("--to", required=True, metavar="URL", help="where requests go, such as http://127.0.0.1:6001")
    parser.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 6100), metavar="[HOST:]PORT", help="default 127.0.0.1:6100"
    )
    parser.set_defaults(function=run_proxy)


def run_proxy(arguments: argparse.Namespace) -> int:
    """Run until interrupted; 0 then, 2 for a schedule or an address that cannot be used."""
    try:
        schedule = read_schedule(arguments.schedule)
        proxy = Proxy(arguments.to, schedule)
    except (StartError, ValueError) as error:
        print(f"proxy: error: {error}", file=sys.stderr)
        return 2
    host, port = arguments.listen
    try:
        asyncio.run(_serve(proxy, schedule, host, port))
    except OSError as error:
        print(f"proxy: error: cannot listen on {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say(f"{proxy.requests} requests; {_counted(proxy)}")
    return 0


async def _serve(proxy: Proxy, schedule: Schedule, host: str, port: int) -> None:
    server = await proxy.start(host, port)
    _say(f"proxy on http://{host}:{server.sockets[0].getsockname()[1]}; ends with Ctrl-C")
    acting: set[int] = set()
    async with server:
        while True:
            phase_s = proxy.phase_s
            now = {number for number, fault in enumerate(schedule.faults) if fault.acts(phase_s)}
            for number in sorted(now ^ acting):
                fault = schedule.faults[number]
                verb, words = ("begins", _words(fault)) if number in now else ("ends", _counted(proxy))
                _say(f"{phase_s:7.1f} s  {fault.fault} {verb}: {words}")
            acting = now
            change_s = schedule.next_change_s(phase_s)
            if change_s is None:
                await server.serve_forever()
            else:
                await asyncio.sleep(max(change_s - proxy.phase_s, 0.0) + 0.001)


def _words(fault: Fault) -> str:
    until = "" if fault.to_s is None else f", until second {fault.to_s:g}"
    share = "" if fault.share == 1 else f", {100 * fault.share:g} % of the requests"
    return fault.told() + share + until


def _counted(proxy: Proxy) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(proxy.met.items())) or "none met a fault"


def _say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535 or (colon and not host):
        raise argparse.ArgumentTypeError(f"{text} is not [HOST:]PORT")
    return host or "127.0.0.1", int(port)


def _taught() -> str:
    lines = ["The schedule has a list `faults`, and may have `seed` and `repeat_s`. Each fault has `fault` (its kind),"]
    lines += ["and may have"]
    lines += [f"  {name}: {Fault.model_fields[name].description}" for name in ("from_s", "to_s", "share")]
    lines += ["", "Kinds, with their own keys:"]
    for kind in KINDS:
        (name,) = kind.model_fields["fault"].annotation.__args__  # type: ignore[union-attr]  # a Literal
        lines.append(f"  {name}: {' '.join((kind.__doc__ or '').split())}")
        own = [(key, field) for key, field in kind.model_fields.items() if key not in _COMMON]
        lines += [
            f"    {key}: {field.description}" + ("" if field.is_required() else f" ({field.default})")
            for key, field in own
        ]
    return "\n".join([*lines, "", f"For example ({EXAMPLE}):", "", EXAMPLE.read_text(encoding="utf-8")])
