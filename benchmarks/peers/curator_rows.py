"""The rows by bespokelabs-curator, with its `openai` backend: a client of its own over aiohttp, the fastest it has.

What makes it fast, and why it is set:

- `max_concurrent_requests` is the number in flight; the limits of requests and tokens a minute, 200 and 100,000 unless
  the server names others, are out of reach. Each request's tokens are counted for them all the same.
- Its progress bar, which it draws anew for every row where rich is off, draws nothing.

Its logger is left as it is: it writes lines about every row, which takes about a quarter of the time, with no switch.
That the first `LLM` imports litellm, for two seconds, is part of making the rows; the more of them, the less it weighs.

It keeps each response in a JSON Lines file and makes an Arrow dataset of them: that is how it works, and stays on.
"""

from __future__ import annotations

import os
import sysconfig
from typing import Any

from contestant import FOLDER, MAX_TOKENS, MODEL, compete

os.environ.update(
    CURATOR_CACHE_DIR=str(FOLDER),
    CURATOR_DISABLE_CACHE="1",
    CURATOR_DISABLE_RICH_DISPLAY="1",
    TQDM_DISABLE="1",
    # No telemetry, and the prices of models from the package and not from the network.
    TELEMETRY_ENABLED="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    # It counts tokens with a vocabulary that tiktoken downloads. litellm, which it needs anyway, ships the same file.
    TIKTOKEN_CACHE_DIR=sysconfig.get_path("purelib") + "/litellm/litellm_core_utils/tokenizers",
)

# isort: split
from bespokelabs import curator

UNLIMITED = 10**12


class Asking(curator.LLM):
    def prompt(self, row: dict[str, str]) -> str:
        return row["prompt"]

    def parse(self, row: dict[str, str], answer: str) -> dict[str, str]:
        return {"answer": answer}


def generate(prompts: list[str], url: str, in_flight: int) -> list[str]:
    backend: dict[str, Any] = {
        "base_url": url,
        "api_key": "none",
        "max_concurrent_requests": in_flight,
        "max_requests_per_minute": UNLIMITED,
        "max_tokens_per_minute": UNLIMITED,
    }
    asking = Asking(MODEL, backend="openai", backend_params=backend, generation_params={"max_tokens": MAX_TOKENS})
    return list(asking([{"prompt": prompt} for prompt in prompts]).dataset["answer"])


if __name__ == "__main__":
    compete(generate)
