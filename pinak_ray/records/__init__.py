"""Everything that crosses a border: ids, memories, operations, nudges, errors."""
