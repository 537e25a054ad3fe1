"""What schemathesis does not know of the gateway: how to pack a body, and the one store whose orders its token may send."""

import re

import schemathesis


@schemathesis.hook
def before_call(ctx, case, kwargs):
    for name, value in list((case.headers or {}).items()):
        if name.lower() == "content-encoding" and value in ("gzip", "br"):
            del case.headers[name]
    store = case.body.get("storeId") if isinstance(case.body, dict) else None
    if isinstance(store, str) and 2 <= len(store) <= 32 and re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", store):
        case.body["storeId"] = "us-il-0001"
