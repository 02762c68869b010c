"""What a person can do, as features.md says."""
