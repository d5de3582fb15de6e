"""The user's settings: one commented TOML file, read and validated."""
