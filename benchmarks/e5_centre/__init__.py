"""What texts have in common to multilingual-e5-small."""
