"""Small requests that mean much work, against a server in a process of its own, measured from outside."""
