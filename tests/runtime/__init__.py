"""Tests of the event loop: waiting, slots, long computations, file descriptors."""
