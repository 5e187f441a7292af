"""Make `pinak_ray/embedding/e5/centre.npy`: what most texts have in common to the model.

    python -m benchmarks.e5_centre [--write]

The mean vector of passages and that of questions, over `texts.toml`, which was written for this
repository. English counts half, since most of what agents store is English, and thirty other
languages share the rest. Prints how far the kept file is from what comes out here; processors round
int8 each their own way. Another centre makes other vectors: raise the model's revision then.
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np

from pinak_ray.cluster.settings import Settings
from pinak_ray.embedding import BUILT_IN, Vectors, ensure_model
from pinak_ray.embedding.e5.embedder import CENTRE, PASSAGE, QUERY, E5Small

_TEXTS = Path(__file__).with_name("texts.toml")


def centre_of(model: E5Small, kind: str, said: dict[str, list[str]]) -> Vectors:
    """Return the mean vector of texts by language, (384,): half English's, half the others'."""
    means = {
        language: np.mean([model.uncentred(kind, text) for text in texts], axis=0)
        for language, texts in said.items()
    }
    centre: Vectors = (means["en"] + np.mean(list(means.values()), axis=0)) / 2
    return centre


def main() -> None:
    """Compute both means, and compare or write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the kept file")
    arguments = parser.parse_args()
    settings = Settings()
    files = ensure_model(BUILT_IN["e5"], settings.cache_dir, directory=settings.model_dir)
    model = E5Small(files)
    told = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
    made = np.stack([
        centre_of(model, kind, {language: each[name] for language, each in told.items()})
        for kind, name in ((PASSAGE, "stored"), (QUERY, "asked"))
    ]).astype(np.float32)  # fmt: skip
    kept = np.load(CENTRE, allow_pickle=False)
    print(f"differs from the kept ones by {np.linalg.norm(made - kept, axis=1).max():.4f} at most")
    if arguments.write:
        np.save(CENTRE, made)


if __name__ == "__main__":
    main()
