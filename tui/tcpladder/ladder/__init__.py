"""The drawing as a model: lanes, rungs, gaps, notes, the expected next rung; roles, not colours. Pure."""
