"""What a board thinks aloud: questions, findings, actions, contradictions."""
