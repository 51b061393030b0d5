"""What the terms of known models mean for a set that is made with their output.

Some terms reach through the output: a model that is trained on it comes under them too, or must bear a name, or may
not be made at all. Whoever publishes such a set under a free licence promises what is not theirs to give. So the
families that people use most are here, each with what its terms say of training on output, in our words.

It goes by names, and names are loose: a fine-tune may have terms of its own besides those of what it was made from,
and whoever serves a model may add more. Terms change; these were looked up in November 2026. It is not legal advice.
What the config file says (`terms:`, under the model's name in `models:`) goes before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["UNKNOWN", "Terms", "Verdict", "terms_of"]

Verdict = Literal["free", "conditions", "refuse", "unknown", "stated"]
"""`free`: nothing stands in the way. `conditions`: possible, but those who train on the set must know and heed them.

`refuse`: such a set cannot be given to everybody for every use. `unknown`: nobody looked. `stated`: the config file
names the terms, and its author answers for them.
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a model, as far as they concern training on its output."""

    name: str
    """The SPDX licence, or what the terms are called."""
    meaning: str
    """One sentence for the author of a set."""
    verdict: Verdict


UNKNOWN = Terms(
    "unknown terms",
    "Nothing is known here of this model's terms: look whether they let others train on its output, and state them in "
    "the config file, under the model's name in `models:`, as `terms: ...`.",
    "unknown",
)
_FREE = "The licence asks nothing of what the model writes, so a set made with it may come under any licence."
_APACHE = Terms("Apache-2.0", _FREE, "free")
_MIT = Terms("MIT", _FREE, "free")


def _derivative(terms: str) -> Terms:
    return Terms(
        terms,
        "A model that is trained on this model's output, to behave like it, is its derivative by these terms and comes "
        "under their restrictions of use, which a set that is free for every use cannot pass on.",
        "refuse",
    )


def _only_itself(terms: str, family: str) -> Terms:
    return Terms(
        terms,
        f"The terms forbid using what the model writes to improve any large language model but {family}, so a set made "
        "with it cannot be one to train on at will.",
        "refuse",
    )


def _no_competitor(terms: str, owner: str) -> Terms:
    return Terms(
        terms,
        f"The terms forbid using the service or what it writes to develop models that compete with {owner}; they bind "
        "you as the customer, and those who train on your set should be told.",
        "conditions",
    )


def _not_commercial(terms: str) -> Terms:
    return Terms(
        terms,
        "The terms let the model be used for research or otherwise not for gain, and may hold for what it writes too, "
        "so a set made with it cannot be given to everybody for every use.",
        "refuse",
    )


_LLAMA = Terms(
    "Llama Community License",
    "A model that is trained or improved with this model's output and passed on must have a name that begins with "
    "Llama, and the set's card should say so.",
    "conditions",
)
_QWEN_LICENSE = Terms(
    "Qwen License",
    "Whoever passes on a model that was trained or improved with this model's output must show "
    "“Built with Qwen” or “Improved using Qwen” in its documentation.",
    "conditions",
)

# The first pattern that is found in the name decides: special cases stand before the family, and what a model was
# distilled into before what it was distilled from.
_TABLE: tuple[tuple[str, Terms], ...] = (
    (r"^sentences$", _APACHE),
    (r"smollm", _APACHE),
    (r"distill-llama|nemotron.*llama|llama.*nemotron|t(u|ü)lu", _LLAMA),
    (r"distill-qwen", _APACHE),
    (r"gemma-?4", _APACHE),
    (r"gemma", _derivative("Gemma Terms of Use")),
    (r"tiny-?llama|open-?llama", _APACHE),
    (r"llama-?2|code-?llama", _only_itself("Llama 2 Community License", "Llama 2")),
    (r"llama-?4|llama-?v?3[.p-][1-9](?![\db])", _LLAMA),
    (r"llama-?v?3", _only_itself("Meta Llama 3 Community License", "Llama 3")),
    (r"qwen-?2\.5.*[-:]72b|qwen-?2-(math|vl)-72b", _QWEN_LICENSE),
    (r"qwen-?2\.5(-vl|-coder)?[-:]3b", _not_commercial("Qwen Research License")),
    (r"qwen-?2[-:]72b|qwen-?1\.5|qwen-?1[-:]|qwen-\d+b", _only_itself("Tongyi Qianwen License", "Qwen")),
    (r"qwen-?[\d.]*-?(max|plus|turbo|flash)", UNKNOWN),
    (r"qwen-?[23]|qwq", _APACHE),
    (r"hunyuan", _only_itself("Tencent Hunyuan Community License", "Hunyuan")),
    (r"codestral-mamba", _APACHE),
    (r"codestral", _not_commercial("Mistral AI Non-Production License")),
    (
        r"mistral-large-(instruct-)?24|pixtral-large|ministral-8b-(instruct-)?24|mistral-small-(instruct-)?2409",
        _not_commercial("Mistral Research License"),
    ),
    (r"mi[sx]tral-(7b|8x7b|8x22b)|mathstral|mistral-nemo|pixtral-12b|magistral-small|devstral-small", _APACHE),
    (r"mistral-small-(3|24b|(instruct-)?25)|mistral-large-(3|(instruct-)?2512)|ministral-3", _APACHE),
    (r"olmo", _APACHE),
    (r"granite", _APACHE),
    (r"\bphi-?[2-4]", _MIT),
    (r"deepseek-(r1|v3-0324|v3\.[1-9]|v4)", _MIT),
    (r"deepseek-(v2|v3|llm|coder|math|moe)", _derivative("DeepSeek License Agreement")),
    (r"starcoder|\bbloomz?\b", _derivative("OpenRAIL-M")),
    (r"command-?(r|a)\b|\baya\b", _not_commercial("CC-BY-NC-4.0")),
    (r"gpt-oss", _APACHE),
    (r"^(chatgpt|gpt-?[345]|o[1345](-|$)|davinci|text-davinci|codex)", _no_competitor("OpenAI terms", "OpenAI")),
    (r"claude", _no_competitor("Anthropic terms", "Anthropic")),
    (r"gemini", _no_competitor("Gemini API terms", "Google's services")),
)
_PATTERNS = tuple((re.compile(pattern), terms) for pattern, terms in _TABLE)


def terms_of(model_name: str) -> Terms:
    """The terms of the model that is called so, on a hub, by a server or by its file; `UNKNOWN` where no row fits."""
    plain = re.split(r"[/\\]", model_name.strip())[-1].lower()
    plain = re.sub(r"[_\s]+", "-", plain)
    return next((terms for pattern, terms in _PATTERNS if pattern.search(plain)), UNKNOWN)
