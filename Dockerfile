# One image for every role: `ordermesh` is its entrypoint, the role is the argument. Built by `make images` (deploy/images/build.sh).
#
# The first stage installs the packages of the lock file. The second holds Node, its C libraries, the production packages and the shipped
# code, and nothing else: no shell, no package manager, no compiler. Nothing in it names a processor: build for amd64 or arm64.

# Debian with glibc 2.38 or later, which the WebSocket addon asks for, with Node 20 or later, and npm.
ARG BASE=docker.io/library/node:24-trixie-slim

FROM ${BASE} AS build
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
COPY stack/install stack/install
# The optional secret `npmrc` leads to a registry of your own, `ca` has the certificates that your network trusts.
RUN --mount=type=secret,id=npmrc,target=/run/secrets/npmrc \
    --mount=type=secret,id=ca,target=/run/secrets/ca \
    if [ -s /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \
    if [ -s /run/secrets/ca ]; then export NPM_CONFIG_CAFILE=/run/secrets/ca; fi; \
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error \
    && node stack/install/post-install.mjs
COPY . .
RUN node deploy/images/assemble.mjs /image

FROM scratch
COPY --from=build /image /
# Addresses: a container is reached from outside. What beyond loopback needs a token or a switch is in docs/configuration.md.
ENV PATH=/usr/local/bin \
    NODE_ENV=production \
    ORDERMESH_HOST=0.0.0.0 \
    ORDERMESH_DATA_DIR=/var/lib/ordermesh
WORKDIR /app
USER 10001:10001
# The gateway's HTTP and gRPC, the display, the loyalty function.
EXPOSE 8080 8081 8090 8082
ENTRYPOINT ["/usr/local/bin/ordermesh"]
CMD ["--help"]
