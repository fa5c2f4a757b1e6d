"""HTTP requests of tests. They share one TLS context: httpx2 would create one for each request, which takes 30 ms."""

from functools import partial

import httpx2

from glific_gpt.network.http_client import tls_context

TLS = tls_context()

get = partial(httpx2.get, verify=TLS)
post = partial(httpx2.post, verify=TLS)
request = partial(httpx2.request, verify=TLS)
Client = partial(httpx2.Client, verify=TLS)
