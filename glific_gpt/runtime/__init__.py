"""How a process runs calls: the event loop and its slots, threads for long computations, file descriptors."""
