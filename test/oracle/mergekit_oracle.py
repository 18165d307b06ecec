"""Runs MergeKit on a CPU: {recipe, outDir, cwd?, seed?} -> {} or an error. `cwd` is where the recipe's paths start."""

from json_lines import serve, take_stdout

answers = take_stdout()

import os  # noqa: E402

import torch  # noqa: E402
import yaml  # noqa: E402
from mergekit.config import MergeConfiguration  # noqa: E402
from mergekit.io.tasks import LoaderCache  # noqa: E402
from mergekit.merge import run_merge  # noqa: E402
from mergekit.options import MergeOptions  # noqa: E402


def merge(request: dict) -> dict:
    if "cwd" in request:
        os.chdir(request["cwd"])
    configuration = MergeConfiguration.model_validate(yaml.safe_load(request["recipe"]))
    options = MergeOptions(device="cpu", quiet=True, write_model_card=False, random_seed=request.get("seed"))
    try:
        run_merge(configuration, request["outDir"], options)
    finally:
        # Open files of every model ever loaded would otherwise stay, also where a later test writes to the same path.
        LoaderCache.loaders.clear()
    return {}


torch.set_num_threads(1)
serve(answers, merge)
