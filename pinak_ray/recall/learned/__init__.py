"""Learned fusion: signals and cues as features, weighed by what labelled talk taught."""
