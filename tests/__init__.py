"""The tests: one folder for each of the package's, houses rules and whole journeys beside them."""
