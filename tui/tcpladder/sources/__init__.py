"""Anything that yields frames. Knows no flows and no timers."""
