"""The privileged child and its typed messages. Looks inside no frame; imports no numpy, scapy or textual."""
