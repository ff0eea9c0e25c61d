"""The operator's front: the command `broker`. ``main`` is its door and lists where each command is."""
