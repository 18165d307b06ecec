"""The sample models' tokenizer: one token a character, written as Hugging Face tokenizer files."""

import json
from pathlib import Path

from tasks import RESERVED, SPECIAL, SYMBOLS, TASK_TOKENS, TOKEN_IDS


def tokenizer_json() -> dict:
    """A byte-pair model without merges, so that programs which extend or trim a BPE vocabulary can work on it."""
    bracketed = SPECIAL + TASK_TOKENS + RESERVED
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": TOKEN_IDS[token],
                "content": token,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for token in sorted(bracketed, key=TOKEN_IDS.__getitem__)
        ],
        # "[SORT] h a d" and "[SORT]had" are the same sequence.
        "normalizer": {"type": "Replace", "pattern": {"Regex": "\\s"}, "content": ""},
        "pre_tokenizer": None,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[BOS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [
                {"SpecialToken": {"id": "[BOS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 0}},
            ],
            "special_tokens": {"[BOS]": {"id": "[BOS]", "ids": [TOKEN_IDS["[BOS]"]], "tokens": ["[BOS]"]}},
        },
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "[UNK]",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": TOKEN_IDS,
            "merges": [],
        },
    }


SPECIAL_TOKENS_MAP = {
    "bos_token": "[BOS]",
    "eos_token": "[EOS]",
    "pad_token": "[PAD]",
    "sep_token": "[SEP]",
    "unk_token": "[UNK]",
}

TOKENIZER_CONFIG = {
    **SPECIAL_TOKENS_MAP,
    "clean_up_tokenization_spaces": False,
    "model_max_length": 64,
    "padding_side": "right",
    # The name that both transformers 4 and 5 know.
    "tokenizer_class": "PreTrainedTokenizerFast",
}


def write_tokenizer(directory: Path) -> None:
    for name, content in [
        ("tokenizer.json", tokenizer_json()),
        ("tokenizer_config.json", TOKENIZER_CONFIG),
        ("special_tokens_map.json", SPECIAL_TOKENS_MAP),
    ]:
        (directory / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


assert len(SYMBOLS) == 16 and len(TOKEN_IDS) == 32
