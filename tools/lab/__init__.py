"""The laboratory: starts real hubs and sensors on loopback, lets named actors use them, and watches what each one received.
tools/scenario, tools/run-story and tools/replay are built on it. Standard library only."""
