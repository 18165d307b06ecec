"""Downloads what was published with the Hub's own client, loads it with transformers, and reads its card."""

from json_lines import serve, take_stdout

answers = take_stdout()

import torch
from huggingface_hub import HfApi, ModelCard, snapshot_download
from transformers import AutoModelForCausalLM


def handle(request: dict) -> dict:
    repository, revision = request["repository"], request["revision"]
    folder = snapshot_download(repository, revision=revision)
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    prompt = torch.tensor([[1, 2, 3, 4]])
    generated = model.generate(prompt, max_new_tokens=4, min_new_tokens=4, do_sample=False)
    card = ModelCard.load(repository)
    return {
        "files": sorted(HfApi().list_repo_files(repository, revision=revision)),
        "parameters": sum(each.numel() for each in model.parameters()),
        "missing": sorted(loading["missing_keys"]),
        "unexpected": sorted(loading["unexpected_keys"]),
        "generated": generated.shape[1],
        "card": {key: value for key, value in card.data.to_dict().items()},
    }


serve(answers, handle)
