"""Tokens, key ring, scopes."""
