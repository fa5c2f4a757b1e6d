"""Tests of durable workflows: locks, failover, engine."""
