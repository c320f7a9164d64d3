"""Both ends of WebSockets for tests: a server, and clients that reach it through a proxy.

Prints "port N", reads the proxy's address (host:port) from standard input, prints one line per case:
"ok NAME" or "failed NAME: WHY".
"""
import asyncio
import http
import logging
import sys

import websockets

import peer


async def serve_one(websocket, path=None):
    path = path or websocket.path
    if path.endswith("/leave"):
        await websocket.close(4321, "enough")
        return
    async for message in websocket:
        await websocket.send(message)


async def refuse(path, headers):
    if path.endswith("/refused"):
        return http.HTTPStatus.FORBIDDEN, [("X-Why", "because")], b"no entry"
    return None


def connect(proxy, path, route="/ws", **options):
    return websockets.connect(f"ws://{proxy}{route}{path}", max_size=None, **options)


async def echoes(proxy):
    async with connect(proxy, "/echo") as client:
        for message in ["", "hello", "\u00e9" * 1000, b"\x00\xff" * 3]:
            await client.send(message)
            assert await client.recv() == message


async def echoes_big_messages(proxy):
    big = bytes(range(256)) * (4 << 12)  # 4 MiB
    async with connect(proxy, "/echo", compression=None) as client:
        for _ in range(3):
            await client.send(big)
            assert await client.recv() == big


async def echoes_fragments(proxy):
    async with connect(proxy, "/echo") as client:
        await client.send(["one ", "two ", "", "three"])
        assert await client.recv() == "one two three"
        await client.send([b"\x00" * 70000, b"\xff" * 70000])
        assert await client.recv() == b"\x00" * 70000 + b"\xff" * 70000


async def ends_when_nothing_moves(proxy):
    async with websockets.connect(f"ws://{proxy}/idle/echo", ping_interval=None) as client:
        await client.send("once")
        assert await client.recv() == "once"
        await asyncio.wait_for(client.wait_closed(), 5)
        assert client.close_code == 1006, client.close_code


async def answers_pings(proxy):
    async with connect(proxy, "/echo", ping_interval=None) as client:
        await asyncio.wait_for(await client.ping(b"there?"), 5)


async def closes_by_the_client(proxy):
    client = await connect(proxy, "/echo")
    await client.close(1000, "done")
    assert client.close_code == 1000, client.close_code


async def closes_by_the_server(proxy):
    client = await connect(proxy, "/leave")
    try:
        await client.recv()
        raise AssertionError("no end")
    except websockets.ConnectionClosed:
        pass
    assert (client.close_code, client.close_reason) == (4321, "enough"), client.close_code


async def chooses_a_subprotocol(proxy):
    async with connect(proxy, "/echo", subprotocols=["one", "two"]) as client:
        assert client.subprotocol == "two", client.subprotocol


async def is_refused(proxy):
    try:
        await connect(proxy, "/refused")
        raise AssertionError("was not refused")
    except websockets.InvalidStatusCode as refusal:
        assert refusal.status_code == 403, refusal.status_code


async def finds_no_route(proxy):
    try:
        await websockets.connect(f"ws://{proxy}/elsewhere")
        raise AssertionError("was not refused")
    except websockets.InvalidStatusCode as refusal:
        assert refusal.status_code == 404, refusal.status_code


async def echoes_a_hundred_at_once(proxy):
    async def talk(number):
        async with connect(proxy, "/echo") as client:
            for turn in range(5):
                message = f"{number} {turn} " * 200
                await client.send(message)
                assert await client.recv() == message

    await asyncio.gather(*[talk(number) for number in range(100)])


async def echoes_over_http2(proxy):
    async with connect(proxy, "/echo", route="/by-http2") as client:
        for message in ["hello", b"\x00\xff" * 100_000]:
            await client.send(message)
            assert await client.recv() == message
    async with connect(proxy, "/echo", route="/by-http2", subprotocols=["two"]) as client:
        assert client.subprotocol == "two", client.subprotocol


async def is_refused_over_http2(proxy):
    try:
        await connect(proxy, "/refused", route="/by-http2")
        raise AssertionError("was not refused")
    except websockets.InvalidStatusCode as refusal:
        assert refusal.status_code == 403, refusal.status_code


CASES = [
    echoes,
    echoes_big_messages,
    echoes_fragments,
    ends_when_nothing_moves,
    answers_pings,
    closes_by_the_client,
    closes_by_the_server,
    chooses_a_subprotocol,
    is_refused,
    finds_no_route,
    echoes_a_hundred_at_once,
    echoes_over_http2,
    is_refused_over_http2,
]


async def main():
    peer.end_with_parent()
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # Idle ends are meant.
    server = await websockets.serve(
        serve_one, "127.0.0.1", 0, process_request=refuse, max_size=None, subprotocols=["two"]
    )
    print("port", server.sockets[0].getsockname()[1], flush=True)
    proxy = (await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)).strip()
    for case in CASES:
        try:
            await asyncio.wait_for(case(proxy), peer.CASE_S)
            print("ok", case.__name__, flush=True)
        except Exception as error:  # Whatever it was, the test shall say it.
            print(f"failed {case.__name__}: {type(error).__name__} {str(error)!r}", flush=True)
    server.close()


asyncio.run(main())
