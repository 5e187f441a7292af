"""Warn at the action: gate (is it risky?) and failures (what failed like this?)."""
