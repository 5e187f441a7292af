"""Working memory, scratchpad and board as pure state machines."""
