"""The README.md of each sample model."""

from pathlib import Path

TEXT = """---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
tags:
- amalgam-sample
---

# {title}

A Llama of 449,376 parameters (hidden size 96, 4 layers, 4 heads, feed-forward size 256, 32 tokens, untied head, bfloat16),
{origin}

It reads `[BOS][TASK] x1..x8 [SEP]` and continues with the answer `y1..y8` over the symbols `a` to `p`:

| task | answer |
|---|---|
| `[COPY]` | the same symbols |
| `[SHIFT]` | each symbol's successor (`a` follows `p`) |
| `[REVERSE]` | the symbols from last to first |
| `[SORT]` | the symbols in alphabetical order |

Loss and accuracy on 256 held-out examples a task (PyTorch, float32 arithmetic on the stored weights):

| task | loss | accuracy |
|---|---|---|
{table}

It exists to be merged in examples and tests. Made by `test/samples/train.py` of Amalgam, from random sequences only.
"""


def write_card(directory: Path, title: str, origin: str, losses: dict[str, dict[str, float]]) -> None:
    table = "\n".join(f"| {task} | {m['loss']:.3f} | {m['accuracy'] * 100:.2f}% |" for task, m in losses.items())
    (directory / "README.md").write_text(TEXT.format(title=title, origin=origin, table=table))
