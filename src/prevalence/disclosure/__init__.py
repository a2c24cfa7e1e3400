"""Disclosure control: which cells may leave, how finely, and the gate through which they leave."""
