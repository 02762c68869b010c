"""The campaign and its credits: pure."""
