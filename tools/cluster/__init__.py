"""A Ray cluster of two nodes on this machine, for tests and for trying a deployment: `python -m tools.cluster up`.

Each node has network, processes and temporary files of its own, as two machines have (network and process namespaces
of Linux, which need root). Where that is not allowed there is one node on loopback.
"""
