"""Words and vectors of what was written: the queue, windows, backfill."""
