"""Recordings of a terminal: asciicasts, the screens in them as pictures, and scripts that are played for one."""
