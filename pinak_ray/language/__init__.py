"""Rules of text: words, values, names, dates, what contradicts what."""
