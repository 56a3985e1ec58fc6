"""Masking secrets before anything is stored or shown, in every form in which an endpoint repeats them."""
