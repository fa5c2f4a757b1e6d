"""Deferred calls: their answers are delivered later, to the flow that waits for them."""
