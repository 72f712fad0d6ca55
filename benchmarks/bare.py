"""The fastest bare client: aiohttp, nothing but the same POSTs with the same number in flight.

Run as its own process: python -m benchmarks.bare URL COUNT IN_FLIGHT; prints the calls per second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aiohttp

from benchmarks.engine import contacts, shipped_mapping

HEADERS = {"X-Api-Key": "local-campaign", "Content-Type": "application/json; charset=utf-8"}
FORM = {
    "client_id": "local-campaign",
    "client_secret": "local-campaign-secret",
    "grant_type": "client_credentials",
    "scope": "openid,AdobeID",
}


async def bare_rate(url: str, count: int, in_flight: int) -> float:
    """Calls per second of `count` POSTs of profiles."""
    compiled = shipped_mapping()
    bodies = [
        json.dumps(compiled.project(row, f"{number:08x}-0000-4000-9000-000000000000").create).encode()
        for number, row in enumerate(contacts(count, seed=2))
    ]
    waiting = iter(bodies)
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(f"{url}/ims/token/v3", data=FORM) as answer:
            token = (await answer.json())["access_token"]
        headers = {**HEADERS, "Authorization": f"Bearer {token}"}
        target = f"{url}/local/campaign/profileAndServicesExt/profile"

        async def work() -> None:
            for body in waiting:
                async with session.post(target, data=body, headers=headers) as answer:
                    await answer.read()
                    assert answer.status == 201, answer.status

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(in_flight)))
        return count / (time.perf_counter() - start)


if __name__ == "__main__":
    print(asyncio.run(bare_rate(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
