"""What a lead, an opportunity and a test drive allow: pure decisions, no input or output."""
