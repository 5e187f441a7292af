"""What is told of nudges, recalls and templates."""
