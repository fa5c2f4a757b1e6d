"""Tests of users: sign-in, passwords, two-step sign-in and roles."""
