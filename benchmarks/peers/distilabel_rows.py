"""The rows by distilabel: a pipeline that loads the prompts and generates a text for each, each step a process.

What makes it fast, and why it is set:

- `input_batch_size` is the number in flight: a batch is sent at once, and the next when all of it has come back. Four
  times as many, or two replicas with half as many each, came out slower.
- Its log is told to be quiet: else a line for every request goes through a queue to another process.
- openai 3, which `set_up.py` installs: with openai 2 it takes half as long again.
- No cache of the step, and no raw input and output beside the text.
"""

from __future__ import annotations

import os

from contestant import FOLDER, MAX_TOKENS, MODEL, compete

os.environ.update(DISTILABEL_LOG_LEVEL="WARNING", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

# isort: split
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration


def generate(prompts: list[str], url: str, in_flight: int) -> list[str]:
    model = OpenAILLM(model=MODEL, base_url=url, api_key="none", generation_kwargs={"max_new_tokens": MAX_TOKENS})
    with Pipeline(name="rows", cache_dir=FOLDER) as pipeline:
        load = LoadDataFromDicts(data=[{"instruction": prompt} for prompt in prompts], batch_size=in_flight)
        write = TextGeneration(
            llm=model, input_batch_size=in_flight, use_cache=False, add_raw_input=False, add_raw_output=False
        )
        load >> write
    return list(pipeline.run(use_cache=False)["default"]["train"]["generation"])


if __name__ == "__main__":
    compete(generate)
