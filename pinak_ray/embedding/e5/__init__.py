"""multilingual-e5-small: some 100 languages, questions and passages told apart."""
