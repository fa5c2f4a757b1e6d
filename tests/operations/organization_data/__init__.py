"""Tests of the export and the deletion of organizations."""
