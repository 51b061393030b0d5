"""The least that a client can do: aiohttp and orjson, a pool of workers, and nothing kept but the answers.

No retries, no journal, no look at an answer but for its text: what a row costs before a framework does anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from contestant import MAX_TOKENS, MODEL, compete

# isort: split
import aiohttp
import orjson

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer none"}


def generate(prompts: list[str], url: str, in_flight: int) -> list[str]:
    return asyncio.run(_answers(prompts, f"{url}/chat/completions", in_flight))


async def _answers(prompts: list[str], url: str, in_flight: int) -> list[str]:
    answers: list[str] = []
    waiting = iter(prompts)
    # aiohttp opens 100 connections at most unless it is told otherwise.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:
        await asyncio.gather(*(_work(waiting, answers, session, url) for _ in range(in_flight)))
    return answers


async def _work(waiting: Iterator[str], answers: list[str], session: aiohttp.ClientSession, url: str) -> None:
    for prompt in waiting:
        asked = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": MAX_TOKENS}
        async with session.post(url, data=orjson.dumps(asked), headers=HEADERS) as response:
            response.raise_for_status()
            found = orjson.loads(await response.read())
        answers.append(found["choices"][0]["message"]["content"])


if __name__ == "__main__":
    compete(generate)
