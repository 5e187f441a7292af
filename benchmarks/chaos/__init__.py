"""Chaos: rounds of kill -9 under load, and a verdict on every acknowledged write."""
