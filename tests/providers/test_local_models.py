"""Embedding models in a folder: ONNX is run for real, sentence-transformers has a stand-in."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from protocol.errors import ModelUnavailable
from protocol.service_settings import Local
from protocol.settings import Settings
from protocol.values import ModelChoice
from providers import local_models
from providers.local_models import Kind
from providers.service import Providers
from tests.retrieval.fakes import in_thread

WORDS = ("[PAD]", "[UNK]", "sea", "tower")
TEXTS = ["sea", "tower sea", "sea sea sea what"]
TABLE = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]], np.float32)
ROOT = Path(__file__).parents[2]
STAND_IN = """
import numpy as np

class SentenceTransformer:
    def __init__(self, folder, device, local_files_only):
        assert device == "cpu" and local_files_only
        open(folder + "/modules.json").close()
    def encode(self, texts, convert_to_numpy, show_progress_bar):
        return np.array([[len(text), 1.0] for text in texts])
"""
USE = """
import sys
from pathlib import Path
sys.path[:0] = {places!r}
from providers import local_models
assert list(local_models.found({folder!r})) == ["mine"]
print(local_models.load({folder!r}, "mine").embed(["a", "four"]).tolist())
"""


def tiny(folder: Path) -> Path:
    """A model of four words: looks each token up in a table of vectors."""
    folder.mkdir(parents=True)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "t"])
    out = helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["n", "t", 3])
    look_up = helper.make_node("Gather", ["table", "input_ids"], ["tokens"])
    table = numpy_helper.from_array(TABLE, "table")
    graph = helper.make_graph([look_up], "tiny", [ids], [out], [table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    save(model, folder / "model.onnx")
    split = {"type": "Whitespace"}
    words = {
        "type": "WordLevel",
        "vocab": {w: n for n, w in enumerate(WORDS)},
        "unk_token": "[UNK]",
    }
    tokenizer = {"version": "1.0", "added_tokens": [], "pre_tokenizer": split, "model": words}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    return folder


def providers(folder: Path) -> Providers:
    """Providers whose local models are in the folder."""
    return Providers(Settings(local=Local(models=str(folder))), offload=in_thread)


async def test_onnx_model_is_offered_and_used(tmp_path: Path) -> None:
    """Behind the one that ships with the program; a text's vector is the mean of its tokens."""
    tiny(tmp_path / "tiny")
    made = providers(tmp_path)
    lists = await made.models()
    assert list(lists.embedding["local"].values()) == ["WordLlama (built in)", "tiny (onnx)"]
    vectors = await made.embed(
        ModelChoice("local", "tiny"), ["sea", "tower sea", "sea sea sea what"]
    )
    assert vectors.tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0.75, 0, 0.25]]
    await made.close()


async def test_model_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """In words of ours, at its first use."""
    (tiny(tmp_path / "tiny") / "model.onnx").write_bytes(b"no model")
    made = providers(tmp_path)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        await made.embed(ModelChoice("local", "tiny"), ["sea"])
    await made.close()


def test_model_whose_extra_is_not_installed_is_not_offered(tmp_path: Path) -> None:
    """It is named in the log; asking for it all the same is refused."""
    tiny(tmp_path / "tiny")
    lacking = (Kind("onnx", "model.onnx", ("no_such_package",), lambda _: pytest.fail("loaded")),)
    assert local_models.found(str(tmp_path), lacking) == {}
    with pytest.raises(ModelUnavailable, match="not installed"):
        local_models.load(str(tmp_path), "tiny", lacking)


@pytest.mark.parametrize("name", ["none", "..", "../tiny"])
def test_unknown_model_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing outside the folder is a model."""
    tiny(tmp_path / "tiny")
    (tmp_path / "models").mkdir()
    with pytest.raises(ModelUnavailable):
        local_models.load(str(tmp_path / "models"), name)


def test_sentence_transformers_is_asked_as_it_wants_to_be(tmp_path: Path) -> None:
    """The package itself brings torch: here a module of the same name stands in for it."""
    (tmp_path / "models" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "mine" / "modules.json").write_text("[]", "utf-8")
    (tmp_path / "sentence_transformers.py").write_text(STAND_IN, "utf-8")
    code = USE.format(places=[str(tmp_path), str(ROOT)], folder=str(tmp_path / "models"))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.stdout == "[[1.0, 1.0], [4.0, 1.0]]\n", done.stderr
