"""Reads a model as its users do: {directory, loadModel?} -> its tensors as safetensors sees them, and as transformers does."""

from json_lines import serve, take_stdout

answers = take_stdout()

from pathlib import Path  # noqa: E402

import torch  # noqa: E402
from safetensors import safe_open  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402
from transformers.utils import logging  # noqa: E402


def tensors_of(directory: Path) -> dict[str, dict]:
    found = {}
    for path in sorted(directory.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():
                tensor = file.get_tensor(name)
                finite = bool(torch.isfinite(tensor).all()) if tensor.is_floating_point() else True
                found[name] = {
                    "file": path.name,
                    "dtype": str(tensor.dtype).removeprefix("torch."),
                    "shape": list(tensor.shape),
                    "finite": finite,
                }
    return found


def model_of(directory: Path) -> dict:
    """Loads it for use; a tensor that the architecture misses or does not know is listed, not passed over."""
    config = AutoConfig.from_pretrained(directory)
    model, loading = AutoModelForCausalLM.from_pretrained(directory, output_loading_info=True, dtype="auto")
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([[0, 1, 2, 3]])).logits
    return {
        "modelType": config.model_type,
        "layers": config.num_hidden_layers,
        "dtype": str(model.dtype).removeprefix("torch."),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "missing": sorted(map(str, loading["missing_keys"])),
        "unexpected": sorted(map(str, loading["unexpected_keys"])),
        "finiteLogits": bool(torch.isfinite(logits.float()).all()),
    }


def check(request: dict) -> dict:
    directory = Path(request["directory"])
    answer = {"tensors": tensors_of(directory)}
    if request.get("loadModel", True):
        answer["model"] = model_of(directory)
    return answer


logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(1)
serve(answers, check)
