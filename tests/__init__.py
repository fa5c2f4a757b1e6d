"""The tests: one folder for each of the package's, rules of the code and whole journeys beside them."""
