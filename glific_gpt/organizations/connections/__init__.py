"""Organizations' connections to Glific, through which later answers reach waiting flows."""
