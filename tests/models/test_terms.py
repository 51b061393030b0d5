"""What a model's name tells of its terms."""

from __future__ import annotations

import pytest

from retroweave.models.terms import Verdict, terms_of


@pytest.mark.parametrize(
    ("name", "terms", "verdict"),
    [
        ("smollm2", "Apache-2.0", "free"),
        ("sentences", "Apache-2.0", "free"),
        ("HuggingFaceTB/SmolLM2-1.7B-Instruct", "Apache-2.0", "free"),
        ("/models/SmolLM2-135M-Instruct.Q4_1.gguf", "Apache-2.0", "free"),
        ("Qwen/Qwen3-8B", "Apache-2.0", "free"),
        ("qwen3:8b", "Apache-2.0", "free"),
        ("Qwen2.5-7B-Instruct", "Apache-2.0", "free"),
        ("Qwen/QwQ-32B", "Apache-2.0", "free"),
        ("Qwen2.5-72B-Instruct", "Qwen License", "conditions"),
        ("qwen2.5:72b", "Qwen License", "conditions"),
        ("Qwen/Qwen2.5-3B-Instruct", "Qwen Research License", "refuse"),
        ("qwen2.5:3b", "Qwen Research License", "refuse"),
        ("Qwen/Qwen2-72B-Instruct", "Tongyi Qianwen License", "refuse"),
        ("Qwen1.5-14B-Chat", "Tongyi Qianwen License", "refuse"),
        ("Qwen-7B-Chat", "Tongyi Qianwen License", "refuse"),
        ("qwen3-max", "unknown terms", "unknown"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "Apache-2.0", "free"),
        ("mixtral-8x7b", "Apache-2.0", "free"),
        ("Mistral-Nemo-Instruct-2407", "Apache-2.0", "free"),
        ("Mistral-Small-3.2-24B-Instruct-2506", "Apache-2.0", "free"),
        ("Mistral-Large-3-675B-Instruct-2512", "Apache-2.0", "free"),
        ("Mistral-Large-Instruct-2411", "Mistral Research License", "refuse"),
        ("Codestral-22B-v0.1", "Mistral AI Non-Production License", "refuse"),
        ("allenai/OLMo-2-1124-7B-Instruct", "Apache-2.0", "free"),
        ("microsoft/phi-4", "MIT", "free"),
        ("Phi-3.5-mini-instruct", "MIT", "free"),
        ("deepseek-ai/DeepSeek-R1", "MIT", "free"),
        ("deepseek-ai/DeepSeek-V3.1", "MIT", "free"),
        ("deepseek-ai/DeepSeek-V3-0324", "MIT", "free"),
        ("deepseek-ai/DeepSeek-V3", "DeepSeek License Agreement", "refuse"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-8B", "Llama Community License", "conditions"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "Apache-2.0", "free"),
        ("google/gemma-3-27b-it:free", "Gemma Terms of Use", "refuse"),
        ("gemma3:270m", "Gemma Terms of Use", "refuse"),
        ("codegemma-7b", "Gemma Terms of Use", "refuse"),
        ("google/gemma-4-31b-it", "Apache-2.0", "free"),
        ("meta-llama/Llama-2-7b-chat-hf", "Llama 2 Community License", "refuse"),
        ("codellama:13b", "Llama 2 Community License", "refuse"),
        ("meta-llama/Meta-Llama-3-8B-Instruct", "Meta Llama 3 Community License", "refuse"),
        ("llama3:8b", "Meta Llama 3 Community License", "refuse"),
        ("meta.llama3-70b-instruct-v1:0", "Meta Llama 3 Community License", "refuse"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "Llama Community License", "conditions"),
        ("llama3.2:1b", "Llama Community License", "conditions"),
        ("meta.llama3-1-8b-instruct-v1:0", "Llama Community License", "conditions"),
        ("llama-v3p1-8b-instruct", "Llama Community License", "conditions"),
        ("Llama-4-Scout-17B-16E", "Llama Community License", "conditions"),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "Llama Community License", "conditions"),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", "Apache-2.0", "free"),
        ("tencent/Hunyuan-7B-Instruct", "Tencent Hunyuan Community License", "refuse"),
        ("bigcode/starcoder2-3b", "OpenRAIL-M", "refuse"),
        ("CohereLabs/c4ai-command-r-v01", "CC-BY-NC-4.0", "refuse"),
        ("openai/gpt-oss-20b", "Apache-2.0", "free"),
        ("gpt-4o-mini", "OpenAI terms", "conditions"),
        ("openai/gpt-5", "OpenAI terms", "conditions"),
        ("o3-mini", "OpenAI terms", "conditions"),
        ("anthropic/claude-sonnet-4", "Anthropic terms", "conditions"),
        ("gemini-2.5-flash", "Gemini API terms", "conditions"),
        ("small", "unknown terms", "unknown"),
        ("", "unknown terms", "unknown"),
    ],
)
def test_a_model_is_known_by_the_names_that_people_give_it(name: str, terms: str, verdict: Verdict) -> None:
    found = terms_of(name)
    assert (found.name, found.verdict) == (terms, verdict)


def test_the_folder_that_a_model_lies_in_says_nothing_of_its_terms() -> None:
    assert terms_of("/home/gemma/weights/other.gguf").verdict == "unknown"
    assert terms_of(r"C:\llama-2\other.gguf").verdict == "unknown"


def test_of_an_unknown_model_it_says_where_to_state_the_terms() -> None:
    assert "`terms: ...`" in terms_of("a-model-of-my-own").meaning


@pytest.mark.parametrize("name", ["gemma-3", "llama-2", "llama-3.1", "gpt-4", "qwen3", "phi-4"])
def test_what_the_terms_mean_is_one_sentence(name: str) -> None:
    meaning = terms_of(name).meaning
    assert meaning.endswith(".")
    assert ". " not in meaning
