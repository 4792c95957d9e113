"""How agents that ask through LiteLLM are pointed at the gateway."""

from __future__ import annotations

from collections.abc import Mapping

from micro_bench.attempts.agents import _product
from micro_bench.attempts.agents._agent import Gateway

PROVIDERS = {
    "openai-chat": ("openai", "OPENAI", "/openai/v1"),
    "anthropic": ("anthropic", "ANTHROPIC", "/anthropic"),
}


def variables(
    way: Gateway, options: Mapping[str, str], wires: tuple[str, ...]
) -> tuple[str, dict[str, str]]:
    """LiteLLM's name of the model, and the variables that say where it is and with which key."""
    provider, name, path = PROVIDERS[_product.wire(options, wires)]
    place = f"{way.url}{path}"
    return f"{provider}/{options['model']}", {
        f"{name}_API_KEY": way.key, f"{name}_API_BASE": place, f"{name}_BASE_URL": place,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False",
    }  # fmt: skip
