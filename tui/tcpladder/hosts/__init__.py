"""The lab's part with privilege: the private network, its hosts, the peers in them. Only an agent of the lab has it."""
