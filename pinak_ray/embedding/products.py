"""Inner products without threads."""

import numpy as np

from pinak_ray.embedding.protocol import Vectors

__all__ = ["inner_products"]


def inner_products(vectors: Vectors, vector: Vectors) -> Vectors:
    """Return the inner product of each of (n, d) vectors with a (d,) vector, as (n,).

    Not `@`: from 25 vectors on it wakes a BLAS thread a core, and these spin long after it is done.
    10,000 products take 2 ms of processor here, and 9 with `@` while requests come one by one.
    """
    products: Vectors = np.einsum("ij,j->i", vectors, vector)
    return products
