"""An owner's log of entries: decided, drafted, written, watched, under which keys."""
