"""What the benches share: the machine, the targets, the tools, the judging of stacks, figures and tables."""
