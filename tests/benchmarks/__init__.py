"""How fast Phasewise is on this machine: figures beside goals, never a verdict. `bin/bench` runs them on both databases.

The server is what `bin/run` starts, web and worker, with the durability of production. Visitors are threads of this
process that talk HTTP over loopback with cookies, CSRF token and htmx's headers, as a browser does. What a request costs
is read from /proc: the CPU time of the web process (and of PostgreSQL's processes) before and after many requests, since
that moves far less than the clock when other programs share the machine; of three batches the cheapest is shown.
"""
