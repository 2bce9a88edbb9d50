"""Real receivers on loopback: an HTTP server and an MQTT broker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from amqtt.broker import Broker


class Inbox:
    """What arrived, and what is to be answered: the next answers first, then 204 for ever."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.events: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.senders: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.url = ""

    def wait_for(self, count: int, timeout_s: float = 20.0) -> list[dict[str, Any]]:
        """The events, once so many have been taken."""
        with self.condition:
            assert self.condition.wait_for(lambda: len(self.events) >= count, timeout_s), self.events
            return list(self.events)


@contextmanager
def web_server(inbox: Inbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[Inbox]:
    """An HTTP server that takes events into the inbox, in the order in which it took them."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with inbox.condition:
                status, headers = inbox.answers.pop(0) if inbox.answers else (204, {})
                inbox.headers.append(dict(self.headers.items()))
                inbox.bodies.append(body)
                inbox.senders.append(str(self.client_address[0]))
                if status < 300:
                    inbox.events.append(json.loads(body))
                inbox.condition.notify_all()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    inbox.url = f"http://{host}:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mqtt_broker(port: int, **listener: object) -> Iterator[None]:
    """An MQTT broker in a thread of its own."""
    loop = asyncio.new_event_loop()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", **listener}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    ready = threading.Event()
    broker: list[Broker] = []

    async def serve() -> None:
        broker.append(Broker(config, loop=loop))
        await broker[0].start()
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # the broker's own troubles at its end
            asyncio.run_coroutine_threadsafe(broker[0].shutdown(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
