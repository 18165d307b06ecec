"""Parses model cards as the Hub's client does: {content} -> front matter, and the text below it."""

from json_lines import serve, take_stdout

answers = take_stdout()

from huggingface_hub import ModelCard  # noqa: E402


def parse(request: dict) -> dict:
    card = ModelCard(request["content"])
    return {"data": card.data.to_dict(), "text": card.text}


serve(answers, parse)
