"""Seasons, cases, their texts, targets and updates."""
