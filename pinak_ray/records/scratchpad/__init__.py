"""What scratchpads are asked and answer."""
