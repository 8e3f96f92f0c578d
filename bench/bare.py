"""The peer of relay and memory: a bare WebSocket relay on the same server stack, and an empty page.

``python -m bench.bare PORT``. The two on ``/relay/{pair}`` get what the other one sends, unread.
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vsdk.serving import server_options
from vsdk.settings import Settings

pairs: dict[str, list[WebSocket]] = {}


async def relay(socket: WebSocket) -> None:
    await socket.accept()
    sockets = pairs.setdefault(socket.path_params["pair"], [])
    sockets.append(socket)
    try:
        while True:
            text = await socket.receive_text()
            for other in sockets:
                if other is not socket:
                    await other.send_text(text)
    except WebSocketDisconnect:
        sockets.remove(socket)


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>bare</title>")


app = Starlette(routes=[Route("/", page), WebSocketRoute("/relay/{pair}", relay)])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), **server_options(Settings()))
