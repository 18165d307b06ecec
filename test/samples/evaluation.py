"""Held-out examples of each task, and the losses that PyTorch measures on them."""

import json
from pathlib import Path

import torch
from tasks import ANSWER_START, INPUT_LENGTH, TASKS, VOCABULARY, labels, sequences

EXAMPLES = 256
SEED = 20_001


def held_out() -> dict[str, torch.Tensor]:
    return {task: sequences(task, EXAMPLES, torch.Generator().manual_seed(SEED + i)) for i, task in enumerate(TASKS)}


@torch.no_grad()
def measure(model, batches: dict[str, torch.Tensor]) -> dict[str, dict[str, float]]:
    """Mean cross-entropy (natural logarithm) and share of right tokens over y1..y8, teacher-forced."""
    model.eval()
    result = {}
    for task, ids in batches.items():
        output = model(input_ids=ids, labels=labels(ids), use_cache=False)
        answer = slice(ANSWER_START, ANSWER_START + INPUT_LENGTH)
        predicted = output.logits[:, ANSWER_START - 1 : ANSWER_START - 1 + INPUT_LENGTH].argmax(-1)
        accuracy = (predicted == ids[:, answer]).double().mean().item()
        result[task] = {"loss": round(output.loss.item(), 6), "accuracy": round(accuracy, 6)}
    return result


def write_batches(directory: Path, batches: dict[str, torch.Tensor]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for task, ids in batches.items():
        rows = ",\n    ".join(json.dumps(row, separators=(",", ":")) for row in ids.tolist())
        text = (
            "{\n"
            f'  "task": "{task}",\n'
            f'  "vocabulary": {json.dumps(VOCABULARY)},\n'
            f'  "answerStart": {ANSWER_START},\n'
            f'  "answerLength": {INPUT_LENGTH},\n'
            f'  "inputIds": [\n    {rows}\n  ]\n'
            "}\n"
        )
        json.loads(text)
        (directory / f"{task}.json").write_text(text)


def write_losses(directory: Path, losses: dict[str, dict]) -> None:
    content = {
        "measure": "mean cross-entropy in nats over y1..y8, teacher-forced; accuracy is the share of those tokens that argmax gets right",
        "arithmetic": "stored bfloat16 weights, computed in float32 by PyTorch on a CPU",
        "examplesPerTask": EXAMPLES,
        "models": losses,
    }
    (directory / "losses.json").write_text(json.dumps(content, indent=2) + "\n")
