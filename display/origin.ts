const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a WebSocket may be opened. In a browser inside the network, a page of any site could connect here, so the page must come from the same
 * host as the socket. Programs that are not browsers send no Origin, and are allowed.
 */
export function isSameOrigin(origin: string, host: string): boolean {
  if (origin === '') return true;
  if (!URL.canParse(origin)) return false;
  const { host: originHost, protocol } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && originHost === host.toLowerCase();
}

/**
 * Whether the Host header can be ours. While the server listens on loopback only, a foreign name means that a site has pointed its DNS name here
 * (DNS rebinding), which would make its pages "same origin".
 */
export function isKnownHost(host: string, listensOn: string): boolean {
  if (!loopbackNames.has(listensOn) && listensOn !== '::1') return true;
  return URL.canParse(`http://${host}`) && loopbackNames.has(new URL(`http://${host}`).hostname);
}
