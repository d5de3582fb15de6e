"""Where the rooms are wired together: sources to analysis to what a front end asks for. Owns threads and the clock."""
