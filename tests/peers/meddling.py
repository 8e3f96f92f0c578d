"""Others who write at the same time."""

import asyncio
from collections.abc import Callable
from typing import Any

from vsdk.hooks.ports import Http, HttpReply


class Meddling:
    """The port Http, on which somebody else is faster: ``meddle`` precedes the first ``times`` writes."""

    def __init__(self, http: Http, meddle: Callable[[int], object], times: int = 1) -> None:
        self._http = http
        self._meddle = meddle
        self._times = times
        self.writes = 0

    async def get(self, url: str, **options: Any) -> HttpReply:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Any) -> HttpReply:
        return await self.request("POST", url, **options)

    async def request(self, method: str, url: str, **options: Any) -> HttpReply:
        if method in ("PUT", "PATCH"):
            self.writes += 1
            if self.writes <= self._times:
                await asyncio.to_thread(self._meddle, self.writes)
        return await self._http.request(method, url, **options)

    def over(self, context: Any) -> Http:
        return self._http.over(context)
