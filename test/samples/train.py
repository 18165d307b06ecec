"""Trains the sample models under samples/. Development only; needs test/oracle/requirements.txt.

    python test/samples/train.py [DIRECTORY]      (default: samples/ of this checkout; about 3 minutes)

Two runs on one machine write the same bytes: one thread, fixed seeds, deterministic algorithms.
"""

import copy
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from cards import write_card
from evaluation import held_out, measure, write_batches, write_losses
from tasks import TASKS, TOKEN_IDS, labels, mixture
from tokenizer import write_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging

BATCH = 128
PARAMETERS = 449_376


@dataclass(frozen=True)
class Run:
    name: str
    tasks: tuple[str, ...]
    steps: int
    learning_rate: float
    seed: int
    title: str
    origin: str


BASE = Run("base", tuple(TASKS), 160, 1.5e-3, 8, "Sample base model", "trained for 160 steps on all four tasks.")
EXPERTS = [
    Run("reverse", ("reverse",), 150, 1e-3, 101, "Sample expert: reverse", "the sample base model trained for 150 more steps on `[REVERSE]` alone."),
    Run("sort", ("sort",), 150, 1e-3, 102, "Sample expert: sort", "the sample base model trained for 150 more steps on `[SORT]` alone."),
    Run("light", ("shift",), 40, 3e-4, 103, "Sample light expert: shift", "the sample base model after 40 gentle steps on `[SHIFT]` alone: a small task vector."),
]


def new_model() -> LlamaForCausalLM:
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(TOKEN_IDS),
        hidden_size=96,
        intermediate_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        tie_word_embeddings=False,
        bos_token_id=TOKEN_IDS["[BOS]"],
        eos_token_id=TOKEN_IDS["[EOS]"],
        pad_token_id=TOKEN_IDS["[PAD]"],
    )
    model = LlamaForCausalLM(config)
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS
    return model


def train(model: LlamaForCausalLM, run: Run, held: set[tuple[int, ...]]) -> LlamaForCausalLM:
    """Returns the model with its weights rounded to bfloat16, as they are stored."""
    generator = torch.Generator().manual_seed(run.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=run.learning_rate)
    model.train()
    for step in range(1, run.steps + 1):
        ids = mixture(list(run.tasks), BATCH, generator)
        assert held.isdisjoint(map(tuple, ids.tolist())), "a held-out example would be trained on"
        loss = model(input_ids=ids, labels=labels(ids), use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 1 or step % 40 == 0 or step == run.steps:
            print(f"{run.name} step {step} loss {loss.item():.4f}", flush=True)
    return model.to(torch.bfloat16).to(torch.float32)


def save(model: LlamaForCausalLM, run: Run, losses: dict, root: Path) -> None:
    directory = root / run.name
    directory.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(directory)
    weights = directory / "model.safetensors"
    weights.chmod(0o644)
    assert weights.stat().st_size < 1_000_000
    write_tokenizer(directory)
    write_card(directory, run.title, run.origin, losses)


def task_vector(model: LlamaForCausalLM, base: LlamaForCausalLM) -> torch.Tensor:
    return torch.cat([(p - q).detach().flatten().double() for p, q in zip(model.parameters(), base.parameters())])


def average(models: list[LlamaForCausalLM]) -> LlamaForCausalLM:
    mean = copy.deepcopy(models[0])
    with torch.no_grad():
        for target, *sources in zip(mean.parameters(), *(model.parameters() for model in models)):
            target.copy_(torch.stack(sources).mean(0))
    return mean


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "samples"
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    batches = held_out()
    held = {tuple(row) for ids in batches.values() for row in ids.tolist()}

    models = {BASE.name: train(new_model(), BASE, held)}
    for run in EXPERTS:
        models[run.name] = train(copy.deepcopy(models[BASE.name]), run, held)

    losses = {name: measure(model, batches) for name, model in models.items()}
    for run in [BASE, *EXPERTS]:
        save(models[run.name], run, losses[run.name], root)
    write_batches(root / "evaluation", batches)
    write_losses(root / "evaluation", losses)

    vectors = {run.name: task_vector(models[run.name], models[BASE.name]) for run in EXPERTS}
    cosine = torch.cosine_similarity(vectors["reverse"], vectors["sort"], dim=0).item()
    norms = {name: round(vector.norm().item(), 3) for name, vector in vectors.items()}
    print(f"cosine(reverse - base, sort - base) = {cosine:.3f}; norms {norms}")
    print(json.dumps({**losses, "mean of reverse and sort": measure(average([models["reverse"], models["sort"]]), batches)}))


if __name__ == "__main__":
    main()
