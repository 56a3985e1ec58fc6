"""The reference endpoint: a conforming server on a real socket, with switchable freedoms and faults.

It is written from the contract alone and shares none of the judging code with the rest of the project.
"""
