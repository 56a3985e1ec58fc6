"""The proof that the suites catch what they should: every fault of the reference endpoint, and silence on a sound
one.
"""
