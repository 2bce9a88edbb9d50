"""An asyncio server in a thread of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator


@contextlib.contextmanager
def in_background(start: Callable[[], Awaitable[asyncio.Server]], name: str) -> Iterator[int]:
    """The port of the server that ``start`` opens in the new loop; at the end its connections are broken off.

    Raises what ``start`` raises.
    """
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    server: list[asyncio.Server] = []
    failure: list[BaseException] = []

    async def serve() -> None:
        try:
            server.append(await start())
        except BaseException as error:  # noqa: BLE001 (it is raised where the block begins)
            failure.append(error)
        finally:
            ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        if not failure:
            loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    ready.wait()
    try:
        if failure:
            raise failure[0]
        yield int(server[0].sockets[0].getsockname()[1])
    finally:
        if server:
            loop.call_soon_threadsafe(server[0].close)
            loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
