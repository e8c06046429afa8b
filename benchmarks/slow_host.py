import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def slow_vdocipher(latency_s: float) -> Iterator[str]:
    """The address of an OTP endpoint that answers after `latency_s`, whatever the number of callers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    callers: set[asyncio.StreamWriter] = set()
    server = asyncio.run_coroutine_threadsafe(_serve(latency_s, callers), loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
    finally:
        asyncio.run_coroutine_threadsafe(_stop(server, callers, latency_s), loop).result(5 + latency_s)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def _stop(server: asyncio.Server, callers: set[asyncio.StreamWriter], latency_s: float) -> None:
    server.close()
    for caller in callers:
        caller.transport.abort()
    await asyncio.sleep(latency_s + 0.1)


async def _serve(latency_s: float, callers: set[asyncio.StreamWriter]) -> asyncio.Server:
    body = json.dumps({"otp": "20160313versUSE3" + "1" * 48, "playbackInfo": "eyJ2aWRlb0lkIjoiMCJ9"}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.add(writer)
        try:
            while True:
                headers = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in headers.split(b"\r\n")
                        if line.lower().startswith(b"content-length")
                    ),
                    0,
                )
                await reader.readexactly(length)
                await asyncio.sleep(latency_s)
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            callers.discard(writer)
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
