"""`make lighthouse`: performance, accessibility and best practices of the console's main pages, by Lighthouse."""
