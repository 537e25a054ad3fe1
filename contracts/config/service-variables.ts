// Knows the environment variables that Kubernetes makes of a Service. config.ts passes them over: they are not the product's own.

/**
 * What Kubernetes appends to the name of a Service, in capitals and with `_` for `-`. A Service called `ordermesh-gateway` becomes
 * `ORDERMESH_GATEWAY_SERVICE_HOST`, `ORDERMESH_GATEWAY_PORT_8080_TCP_ADDR` and so on, in every pod of its namespace.
 */
const ending = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** What Kubernetes calls `<SERVICE>_PORT` is an address, and no number as the product's variables of that name take. */
const serviceAddress = /^(tcp|udp|sctp):\/\/\S+:\d+$/;

/** The environment without the variables of Services. The environment that is given stays as it is. */
export function withoutServiceVariables(env: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => !isServiceVariable(name, value ?? '')));
}

function isServiceVariable(name: string, value: string): boolean {
  return ending.test(name) || (name.endsWith('_PORT') && serviceAddress.test(value));
}
