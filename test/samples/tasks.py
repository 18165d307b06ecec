"""The sequence tasks that the sample models learn, and their vocabulary of 32 tokens."""

import torch

SYMBOLS = "abcdefghijklmnop"
SPECIAL = ["[PAD]", "[UNK]", "[BOS]", "[EOS]", "[SEP]"]
TASKS = ["copy", "shift", "reverse", "sort"]
TASK_TOKENS = [f"[{task.upper()}]" for task in TASKS]
RESERVED = [f"[RESERVED{index}]" for index in range(7)]
VOCABULARY = SPECIAL + TASK_TOKENS + list(SYMBOLS) + RESERVED
TOKEN_IDS = {token: index for index, token in enumerate(VOCABULARY)}

FIRST_SYMBOL = TOKEN_IDS["a"]
INPUT_LENGTH = 8
# [BOS][TASK] x1..x8 [SEP] y1..y8 [EOS]
ANSWER_START = 2 + INPUT_LENGTH + 1
IGNORED_LABEL = -100

ANSWERS = {
    "copy": lambda x: x,
    "shift": lambda x: (x + 1) % len(SYMBOLS),
    "reverse": lambda x: x.flip(1),
    "sort": lambda x: x.sort(1).values,
}


def sequences(task: str, count: int, generator: torch.Generator) -> torch.Tensor:
    """Token ids, [count, 20], of random examples of one task."""
    x = torch.randint(0, len(SYMBOLS), (count, INPUT_LENGTH), generator=generator)

    def column(token: str) -> torch.Tensor:
        return torch.full((count, 1), TOKEN_IDS[token])

    return torch.cat(
        [
            column("[BOS]"),
            column(f"[{task.upper()}]"),
            x + FIRST_SYMBOL,
            column("[SEP]"),
            ANSWERS[task](x) + FIRST_SYMBOL,
            column("[EOS]"),
        ],
        dim=1,
    )


def mixture(tasks: list[str], count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` examples, the same number of each task."""
    assert count % len(tasks) == 0
    return torch.cat([sequences(task, count // len(tasks), generator) for task in tasks])


def labels(ids: torch.Tensor) -> torch.Tensor:
    """Only y1..y8 count in the loss: x is random, and the frame is the same in every example."""
    result = torch.full_like(ids, IGNORED_LABEL)
    answer = slice(ANSWER_START, ANSWER_START + INPUT_LENGTH)
    result[:, answer] = ids[:, answer]
    return result
