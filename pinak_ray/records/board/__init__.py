"""What boards are asked and answer."""
