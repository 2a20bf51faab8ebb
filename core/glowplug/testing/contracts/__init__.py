"""The contracts that components keep, as classes of tests to inherit from.

Owns: nothing but the folder; each module beside this one has the contract of one kind.
Must not know: any component.
"""
