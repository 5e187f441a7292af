"""Thin Ray shells over plain asyncio classes."""
