"""The rows by NVIDIA's data-designer: a seed dataset of the prompts, and one column that a model writes.

What makes it fast, and why it is set:

- `max_parallel_requests` is the number in flight; 4 unless it is set.
- One row group holds all rows: a group that ends leaves slots empty. The default of three groups of 1,000 at once came
  out as fast.
- The plain Jinja renderer in place of the hardened one, no metrics endpoint, no log, no health check of the model.
- `set_up.py` installs sniffio beside it, which its HTTP client looks for at every request: a tenth faster with it.

It draws a profile of each column at the end, which counts tokens with a vocabulary that tiktoken downloads. Without a
network it says that it could not, and goes on; the rows are there by then.
"""

from __future__ import annotations

import os

from contestant import FOLDER, MAX_TOKENS, MODEL, compete

os.environ.update(NEMO_TELEMETRY_ENABLED="false", DATA_DESIGNER_HOME=str(FOLDER / "settings"))

# isort: split
import data_designer.config as dd
import pandas as pd
from data_designer.interface import DataDesigner


def generate(prompts: list[str], url: str, in_flight: int) -> list[str]:
    designer = DataDesigner(
        artifact_path=FOLDER,
        model_providers=[dd.ModelProvider(name="local", endpoint=url, api_key="none")],
        auto_configure_logging=False,
    )
    designer.set_run_config(
        dd.RunConfig(
            buffer_size=len(prompts), otel_metrics_port=None, jinja_rendering_engine=dd.JinjaRenderingEngine.NATIVE
        )
    )
    return list(designer.create(_design(prompts, in_flight), num_records=len(prompts)).load_dataset()["answer"])


def _design(prompts: list[str], in_flight: int) -> dd.DataDesignerConfigBuilder:
    asking = dd.ChatCompletionInferenceParams(max_parallel_requests=in_flight, max_tokens=MAX_TOKENS)
    model = dd.ModelConfig(
        alias="model", model=MODEL, provider="local", inference_parameters=asking, skip_health_check=True
    )
    design = dd.DataDesignerConfigBuilder(model_configs=[model])
    design.with_seed_dataset(dd.DataFrameSeedSource(df=pd.DataFrame({"prompt": prompts})))
    design.add_column(dd.LLMTextColumnConfig(name="answer", model_alias=model.alias, prompt="{{ prompt }}"))
    return design


if __name__ == "__main__":
    compete(generate)
