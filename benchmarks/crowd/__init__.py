"""Failures of every kind of work, generated: a crowd for one failure to be found in."""
