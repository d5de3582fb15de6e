"""The private network where experiments run, and the peers that talk in it."""
